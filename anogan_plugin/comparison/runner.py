# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The order in which a comparison is run, wherever its jobs are."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder


@dataclass(frozen=True)
class Finished:
    """A job that ran to its end.

    Args:
        job: The job.
        reason: Why it failed; None if it did not.
    """

    job: Job
    reason: str | None


class Watcher:
    """Is told how a comparison goes; this one does nothing with it."""

    def begin(self, stage: str, jobs: list[Job]) -> None:
        """A stage begins in which ``jobs`` have to be run."""

    def finished(self, finished: Finished) -> None:
        """A job ended."""

    def look(self, running: tuple[Job, ...]) -> None:
        """Some time has gone by; these jobs run."""


class JobRunner(ABC):
    """Runs the jobs of a comparison: training and scoring first, then timing, one at a time.

    Timing comes last because a machine that trains can't be timed. A scored job whose weights are
    gone is done without it. Weights that several jobs score with are trained by the first of them,
    while the others wait; if that fails, they fail with it.

    Attributes:
        watcher: Is told how it goes.
    """

    def __init__(self) -> None:
        self.watcher = Watcher()

    def run(self, jobs: tuple[Job, ...], output: Path) -> dict[str, str]:
        """Run what has not been run.

        Args:
            jobs: All jobs of the comparison.
            output: Its folder.

        Returns:
            Why jobs failed, by the names of their folders; those that are not in it are done.
        """
        failed: dict[str, str] = {}
        for stage in (RESULT, TIMING):
            left = [
                job
                for job in jobs
                if job.folder_name not in failed and JobFolder(output, job).is_left(stage)
            ]
            self.watcher.begin(stage, left)
            for finished in self._run_stage(stage, left, output):
                if finished.reason is not None:
                    failed[finished.job.folder_name] = finished.reason
                    _note(JobFolder(output, finished.job), finished.reason)
                self.watcher.finished(finished)
        return failed

    def _run_stage(self, stage: str, waiting: list[Job], output: Path) -> Iterator[Finished]:
        """Run jobs, yielding each as soon as it has ended."""
        waiting, running = list(waiting), dict[Any, Job]()
        untrained: dict[str, str] = {}
        slots = 1 if stage == TIMING else self.workers
        try:
            while waiting or running:
                while len(running) < slots and (job := _next(waiting, running.values(), output)):
                    if job.training_key in untrained:
                        yield Finished(job, untrained[job.training_key])
                    else:
                        running[self.start(stage, job, output)] = job
                for task in self.wait(list(running)):
                    job, reason = running.pop(task), self.reason(task)
                    if reason is not None and not JobFolder(output, job).checkpoint.exists():
                        untrained[job.training_key] = reason
                    yield Finished(job, reason)
                self.watcher.look(tuple(running.values()))
        finally:
            self.end(list(running))

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many jobs can run at a time."""

    @abstractmethod
    def start(self, stage: str, job: Job, output: Path) -> Any:
        """Start a job.

        Args:
            stage: ``result.json`` or ``timing.json``; the latter needs a machine to itself.
            job: The job.
            output: Folder of the comparison.

        Returns:
            What it is known by from now on.
        """

    @abstractmethod
    def wait(self, tasks: list[Any]) -> list[Any]:
        """Wait for a moment.

        Args:
            tasks: What has been started; may be empty.

        Returns:
            Those that have ended.
        """

    @abstractmethod
    def reason(self, task: Any) -> str | None:
        """Why a task that has ended failed; None if it did not."""

    @abstractmethod
    def end(self, tasks: list[Any]) -> None:
        """Kill what still runs."""


def _next(waiting: list[Job], running: Iterable[Job], output: Path) -> Job | None:
    """Take the first job that can begin at once; None if one that runs must end first.

    What another comparison in this folder runs is passed over, and waited for in the end.
    """
    trained_now = {job.training_key for job in running}

    def can_begin(job: Job) -> bool:
        folder = JobFolder(output, job)
        if job.training_key in trained_now and not folder.checkpoint.exists():
            return False
        return not folder.is_locked()

    job = next(filter(can_begin, waiting), None)
    if job is None and waiting and not trained_now:
        job = waiting[0]
    if job is not None:
        waiting.remove(job)
    return job


def _note(folder: JobFolder, reason: str) -> None:
    """Leave the reason of a process that died before it could."""
    with contextlib.suppress(OSError):  # a full disk may be the reason
        if folder.reason() is None:
            folder.write_error(reason)
