# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Who may use this machine: many jobs at a time, or one that is timed."""

import contextlib
import fcntl
import platform
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def this_machine(output: Path, alone: bool = False) -> Iterator[None]:
    """Wait until this machine is free, also of what other calls in the same folder do on it.

    Where a process dies, however it does, the system sets it free.

    Args:
        output: Folder of the comparison.
        alone: Whether nothing else may go on, as timing needs it.
    """
    output.mkdir(parents=True, exist_ok=True)
    # Machines that share the folder do not disturb each other.
    with (output / f".machine-{platform.node()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # also of what was forked meanwhile
