# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Holds a job up until the test has seen it run, without anybody sleeping."""

import os
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


def open_for_good(go: Path) -> None:
    """Let every model through that comes from now on, and those that wait."""
    writer = os.open(go, os.O_RDWR | os.O_NONBLOCK)
    for pipe in (go, started(go)):
        file = pipe.with_suffix(".file")
        file.touch()
        file.replace(pipe)
    os.close(writer)
