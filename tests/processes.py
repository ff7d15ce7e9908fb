# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Commands, and fresh processes for what depends on a process's first import."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

ANOMALIB = Path(sys.executable).parent / "anomalib"
"""The stock command of the environment that runs the tests."""


def run(
    *command: str | Path, cwd: Path, environment: dict[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` in the folder ``cwd`` and return what it printed.

    Args:
        *command: Executable and its arguments.
        cwd: Working folder.
        environment: Variables to add to those of this process.
        timeout: Longest time to wait, in seconds.

    Raises:
        AssertionError: If the exit code is not 0; the message is what the command printed.
    """
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    return result


def run_python(
    *arguments: str | Path, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the Python that runs the tests on ``arguments``: see :func:`run`."""
    return run(sys.executable, *arguments, cwd=cwd, environment=environment)


def anomalib_here(*arguments: str | Path, cwd: Path) -> str:
    """Do what the command ``anomalib`` does, without the ten seconds that its imports take.

    Args:
        *arguments: Its arguments.
        cwd: Working folder.

    Returns:
        What it printed.
    """
    from anomalib.cli import AnomalibCLI  # most tests have no use for it

    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(cwd)
        AnomalibCLI([str(argument) for argument in arguments])
    return printed.getvalue()
