# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Who may use a machine."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from anogan_plugin.comparison.machine import this_machine
from tests.comparison.small import HERE


def can_take(folder: Path, kind: int) -> bool:
    (lock,) = folder.glob(".machine-*.lock")
    with lock.open() as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize(("alone", "others"), [(False, True), (True, False)])
def test_jobs_share_it_and_who_is_timed_does_not(alone: bool, others: bool, tmp_path: Path) -> None:
    with this_machine(tmp_path / "out", alone):
        assert can_take(tmp_path / "out", fcntl.LOCK_SH) == others
        assert not can_take(tmp_path / "out", fcntl.LOCK_EX)
    assert can_take(tmp_path / "out", fcntl.LOCK_EX)


def test_it_is_free_when_its_user_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from anogan_plugin.comparison.machine import this_machine\n"
        f"with this_machine(pathlib.Path({str(tmp_path)!r}), alone=True):\n"
        "    print('mine', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "mine\n"
        assert not can_take(tmp_path, fcntl.LOCK_SH)
        user.kill()
    assert can_take(tmp_path, fcntl.LOCK_EX)
