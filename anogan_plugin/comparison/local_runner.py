# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Runs jobs on this machine, each in a process of its own: a crash of one is no other's."""

import contextlib
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import TIMING
from anogan_plugin.comparison.runner import JobRunner
from anogan_plugin.processes import available_cores, end_only_with_parent

_WORKER = "anogan_plugin.comparison.worker"
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, eq=False)
class _Running:
    device: str
    process: ForkServerProcess
    report: Connection


class LocalRunner(JobRunner):
    """One process per device, which share the cores between them.

    A process that dies, however it does, is a failed job. When the comparison itself dies, so do
    its processes.

    Args:
        devices: As ``cpu`` or ``cuda:0``; one that is there twice serves two jobs at a time.
        cores: Threads of a job; None shares the cores of this machine. Timing has all of them.
    """

    def __init__(self, devices: list[str], cores: int | None = None) -> None:
        super().__init__()
        self._free, self._workers = list(devices), len(devices)
        self._cores = cores or max(1, available_cores() // len(devices))
        self._context = multiprocessing.get_context("forkserver")
        # Imports of many seconds are done once, not in each process.
        self._context.set_forkserver_preload(["__main__", _WORKER])

    @property
    def workers(self) -> int:
        """How many jobs can run at a time."""
        return self._workers

    def start(self, stage: str, job: Job, output: Path) -> _Running:
        """Start a process; see :meth:`JobRunner.start`."""
        receiver, sender = self._context.Pipe(duplex=False)
        device = self._free.pop(0)
        threads = available_cores() if stage == TIMING else self._cores
        process = self._context.Process(
            target=_run_in_child, args=(sender, stage, job, output, device, threads)
        )
        process.start()
        sender.close()
        return _Running(device, process, receiver)

    def wait(self, tasks: list[_Running]) -> list[_Running]:
        """See :meth:`JobRunner.wait`."""
        ended = wait([task.process.sentinel for task in tasks], _SECONDS_BETWEEN_LOOKS)
        return [task for task in tasks if task.process.sentinel in ended]

    def reason(self, task: _Running) -> str | None:
        """See :meth:`JobRunner.reason`."""
        self._free.append(task.device)
        task.process.join()
        with contextlib.suppress(EOFError, OSError):
            return task.report.recv()
        code = task.process.exitcode or 0
        killed = f"was killed by {signal.Signals(-code).name}" if code < 0 else ""
        memory = ": is there enough memory?" if code == -signal.SIGKILL else ""
        return f"the process {killed or f'ended with code {code}'}{memory}"

    def end(self, tasks: list[_Running]) -> None:
        """See :meth:`JobRunner.end`."""
        for task in tasks:
            task.process.kill()  # Lightning would not hear SIGTERM before its next batch
        for task in tasks:
            task.process.join()


def _run_in_child(
    report: Connection, stage: str, job: Job, output: Path, device: str, threads: int
) -> None:
    from anogan_plugin.comparison.worker import work

    end_only_with_parent()
    report.send(work(stage, job, output, device, threads))
