# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The order in which a comparison is run, wherever its jobs are."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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

    Timing comes last because a machine that trains can't be timed.

    Attributes:
        running: Jobs that run now.
        watcher: Is told how it goes.
    """

    def __init__(self) -> None:
        self.running: tuple[Job, ...] = ()
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
        for stage, alone in ((RESULT, False), (TIMING, True)):
            left = [
                job
                for job in jobs
                if job.folder_name not in failed and not JobFolder(output, job).has(stage)
            ]
            self.watcher.begin(stage, left)
            for finished in self.execute(stage, left, output, alone):
                if finished.reason is not None:
                    failed[finished.job.folder_name] = finished.reason
                    _note(JobFolder(output, finished.job), finished.reason)
                self.watcher.finished(finished)
        return failed

    def look(self) -> None:
        """Tell the watcher what runs."""
        self.watcher.look(self.running)

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many jobs can run at a time."""

    @abstractmethod
    def execute(self, stage: str, jobs: list[Job], output: Path, alone: bool) -> Iterator[Finished]:
        """Run a stage of jobs.

        Args:
            stage: ``result.json`` or ``timing.json``.
            jobs: What to run.
            output: Folder of the comparison.
            alone: Whether each needs a machine to itself.

        Yields:
            Each job as soon as it has ended.
        """


def _note(folder: JobFolder, reason: str) -> None:
    """Leave the reason of a process that died before it could."""
    with contextlib.suppress(OSError):  # a full disk may be the reason
        if folder.reason() is None:
            folder.write_error(reason)
