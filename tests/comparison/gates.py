# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Holds a job up until the test has seen it run, without anybody sleeping."""

import os
import select
import subprocess
from pathlib import Path


def make_gate(folder: Path) -> Path:
    """Make a pipe that a ``BrokenModel`` waits for, beside the one on which it says that it does.

    Returns:
        The first. To write to it lets one model go on.
    """
    go = folder / "go"
    for pipe in (go, started(go)):
        os.mkfifo(pipe)
    return go


def started(go: Path) -> Path:
    """The pipe whose reader learns the number of the process that waits."""
    return Path(f"{go}.started")


def wait_for(count: int, go: Path, running: subprocess.Popen[str]) -> list[int]:
    """Wait until models wait for the pipe.

    Args:
        count: How many.
        go: The pipe.
        running: The comparison.

    Returns:
        The numbers of the models' processes.

    Raises:
        AssertionError: If the comparison ends before; the message is what it printed.
    """
    said = b""
    # Also open for writing: the pipe does not end when a model has said its number.
    reader = os.open(started(go), os.O_RDWR | os.O_NONBLOCK)
    try:
        while said.count(b"\n") < count:
            assert running.poll() is None, running.communicate()[0]
            if select.select([reader], [], [], 1)[0]:
                said += os.read(reader, 1000)
    finally:
        os.close(reader)
    return [int(line) for line in said.split()]


def open_for_good(go: Path) -> None:
    """Let every model through that comes from now on, and those that wait."""
    writer = os.open(go, os.O_RDWR | os.O_NONBLOCK)
    for pipe in (go, started(go)):
        file = pipe.with_suffix(".file")
        file.touch()
        file.replace(pipe)
    os.close(writer)
