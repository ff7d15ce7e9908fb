# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Spread the making of pictures over processes, without changing a byte of them."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from threading import Thread
from typing import TypeVar

from joblib import Parallel, cpu_count, delayed

from .writer import EncodedPicture

Job = TypeVar("Job")

_BATCH = 8  # pictures handed to a process at a time
_WORTH_A_PROCESS = 300  # pictures it takes to make up for the start of a process


def make_pictures(
    make: Callable[[Job], EncodedPicture], jobs: list[Job], workers: int | None
) -> Iterable[EncodedPicture]:
    """Call ``make`` on every job and yield the pictures in the order of the jobs.

    joblib's processes do not import the caller's main module, so a script needs no
    ``if __name__ == "__main__"``, and they do not inherit its threads, so nothing hangs.

    Args:
        make: Makes one picture; a function that can be pickled, in a module without torch.
        jobs: One job for each picture.
        workers: Number of processes; ``None``: one for each processor, if there is enough to do.
    """
    if workers is None:
        workers = min(cpu_count(), 1 + len(jobs) // _WORTH_A_PROCESS)
    if workers == 1:
        return map(make, jobs)
    return _in_processes(make, jobs, workers)


def _in_processes(
    make: Callable[[Job], EncodedPicture], jobs: list[Job], workers: int
) -> Iterator[EncodedPicture]:
    batches = (jobs[i : i + _BATCH] for i in range(0, len(jobs), _BATCH))
    # Idle processes leave soon: the memory is wanted for training.
    parallel = Parallel(workers, backend="loky", return_as="generator", idle_worker_timeout=5)
    make_batch = partial(_make_batch, os.getpid(), make)
    for pictures in parallel(delayed(make_batch)(batch) for batch in batches):
        yield from pictures


def _make_batch(
    parent: int, make: Callable[[Job], EncodedPicture], jobs: list[Job]
) -> list[EncodedPicture]:
    _end_with(parent)
    return [make(job) for job in jobs]


@cache
def _end_with(parent: int) -> None:
    """End this process when its parent is killed, or it waits forever to hand over its pictures."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
