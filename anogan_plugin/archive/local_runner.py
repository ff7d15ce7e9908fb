# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores shards on this machine, in processes of which each has a core or a GPU."""

import contextlib
import multiprocessing
import signal
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.sharedctypes import Synchronized

import torch

from anogan_plugin.archive.runner import ShardRunner
from anogan_plugin.archive.shard_scorer import ShardScorer, Task
from anogan_plugin.processes import available_cores, end_only_with_parent

_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class _Worker:
    process: ForkServerProcess
    pipe: Connection


class LocalRunner(ShardRunner):
    """One process per device; a process takes the next shard when it has done one.

    Args:
        devices: As ``cpu`` or ``cuda:0``; one that is there twice has two processes.
    """

    def __init__(self, devices: list[str]) -> None:
        self._devices = devices
        self._context = multiprocessing.get_context("forkserver")
        # Imports of many seconds are done once, not in each process, and held in memory once.
        self._context.set_forkserver_preload(["__main__", "anogan_plugin.archive.local_runner"])

    def run(self, task: Task, shards: list[int]) -> Iterator[int]:
        """See :meth:`ShardRunner.run`."""
        scored = self._context.Value("q", 0)
        waiting = iter(shards)
        devices = self._devices[: len(shards)]
        threads = max(1, available_cores() // max(1, len(devices)))
        workers = [self._start(task, device, threads, scored) for device in devices]
        busy: dict[Connection, int] = {}
        try:
            for worker in workers:
                _give_next(worker.pipe, waiting, busy)
            while busy:
                for pipe in wait(list(busy), _SECONDS_BETWEEN_LOOKS):
                    assert isinstance(pipe, Connection)
                    _check_end(pipe, busy.pop(pipe), workers)
                    _give_next(pipe, waiting, busy)
                yield scored.value
        finally:
            for worker in workers:
                worker.process.kill()  # a shard that is not done is scored anew
            for worker in workers:
                worker.process.join()

    def _start(self, task: Task, device: str, threads: int, scored: "Synchronized[int]") -> _Worker:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, task, device, threads, scored)
        process = self._context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)


def _give_next(pipe: Connection, waiting: Iterator[int], busy: dict[Connection, int]) -> None:
    number = next(waiting, None)
    if number is not None:
        busy[pipe] = number
        with contextlib.suppress(BrokenPipeError):  # told by what it does not answer
            pipe.send(number)


def _check_end(pipe: Connection, number: int, workers: list[_Worker]) -> None:
    try:
        reason = pipe.recv()
    except (EOFError, OSError):
        process = next(worker.process for worker in workers if worker.pipe is pipe)
        process.join()
        code = process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended ({code})"
        reason = f"the process that scored it {how}; is there enough memory for all --workers?"
    if reason is not None:
        raise RuntimeError(f"shard {number} can't be scored: {reason}")


def _work(
    pipe: Connection, task: Task, device: str, threads: int, scored: "Synchronized[int]"
) -> None:
    end_only_with_parent()
    warnings.simplefilter("ignore")  # the command has shown them when it tried the checkpoint
    torch.set_num_threads(threads)

    def add(count: int) -> None:
        with scored.get_lock():
            scored.value += count

    scorer = None
    while True:
        number = pipe.recv()
        try:
            scorer = scorer or ShardScorer(task, device, add)
            scorer.score(number)
            pipe.send(None)
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}")
