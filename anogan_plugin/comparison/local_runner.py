# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Runs jobs on this machine, each in a process of its own: a crash of one is no other's."""

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import JobFolder
from anogan_plugin.comparison.runner import Finished, JobRunner
from anogan_plugin.processes import available_cores, end_with_parent

_WORKER = "anogan_plugin.comparison.worker"
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class _Running:
    job: Job
    device: str
    process: ForkServerProcess
    report: Connection


class LocalRunner(JobRunner):
    """One process per device, which share the cores between them.

    A process that dies, however it does, is a failed job. When the comparison itself dies, so do
    its processes.

    Args:
        devices: As ``cpu`` or ``cuda:0``; one that is there twice serves two jobs at a time.
    """

    def __init__(self, devices: list[str]) -> None:
        super().__init__()
        self._devices = devices
        self._context = multiprocessing.get_context("forkserver")
        # Imports of many seconds are done once, not in each process.
        self._context.set_forkserver_preload(["__main__", _WORKER])

    @property
    def workers(self) -> int:
        """How many jobs can run at a time."""
        return len(self._devices)

    def execute(self, stage: str, jobs: list[Job], output: Path, alone: bool) -> Iterator[Finished]:
        """Run jobs; see :meth:`JobRunner.execute`."""
        free = self._devices[:1] if alone else list(self._devices)
        threads = max(1, available_cores() // len(free))
        waiting, running = list(jobs), list[_Running]()
        try:
            while waiting or running:
                while waiting and free:
                    job = _next(waiting, output)
                    running.append(self._start(stage, job, output, free.pop(0), threads))
                self.running = tuple(each.job for each in running)
                ended = wait([each.process.sentinel for each in running], _SECONDS_BETWEEN_LOOKS)
                for each in [each for each in running if each.process.sentinel in ended]:
                    running.remove(each)
                    free.append(each.device)
                    yield Finished(each.job, _reason(each))
                self.look()
        finally:
            self.running = ()
            for each in running:
                each.process.kill()  # Lightning would not hear SIGTERM before its next batch
            for each in running:
                each.process.join()

    def _start(self, stage: str, job: Job, output: Path, device: str, threads: int) -> _Running:
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_run_in_child, args=(sender, stage, job, output, device, threads)
        )
        process.start()
        sender.close()
        return _Running(job, device, process, receiver)


def _next(waiting: list[Job], output: Path) -> Job:
    """Take the first job that no other comparison in this folder runs; else wait for one's end."""
    free = (job for job in waiting if not JobFolder(output, job).is_locked())
    job = next(free, waiting[0])
    waiting.remove(job)
    return job


def _reason(ended: _Running) -> str | None:
    ended.process.join()
    with contextlib.suppress(EOFError, OSError):
        return ended.report.recv()
    code = ended.process.exitcode or 0
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    memory = ": is there enough memory?" if code == -signal.SIGKILL else ""
    return f"the process {how}{memory}"


def _run_in_child(
    report: Connection, stage: str, job: Job, output: Path, device: str, threads: int
) -> None:
    from anogan_plugin.comparison.worker import work

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the comparison, which ends this
    end_with_parent()
    report.send(work(stage, job, output, device, threads))
