# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Files of a job, and how long jobs like it took."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from anogan_plugin.comparison.estimates import Estimates
from anogan_plugin.comparison.job import Job, ModelPlan
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder
from anogan_plugin.files import write_atomically, write_json, write_text


def make_job(name: str = "a model", seed: int = 0, **arguments: Any) -> Job:
    plan = ModelPlan(name, f"package.{name}", {}, arguments, {"max_epochs": 1}, None)
    return Job(plan, "some data", "package.Data", {}, seed)


def test_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "before")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, fail)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_written_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.txt"
    before = os.umask(0o027)
    try:
        write_text(path, "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_result_with_nan_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "result.json", {"auroc": float("nan")})
    assert not list(tmp_path.iterdir())


def test_beginning_again_forgets_the_failure(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, make_job())
    folder.begin()
    folder.write_error("Traceback\n  line\nValueError: why\n")
    (folder.work / "left").mkdir(parents=True)
    assert folder.reason() == "ValueError: why"
    folder.begin()
    assert folder.reason() is None
    assert not folder.work.exists()


def test_timing_is_left_only_where_there_are_weights(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, make_job())
    assert folder.is_left(RESULT)
    assert not folder.is_left(TIMING)
    folder.training.mkdir(parents=True)
    folder.checkpoint.touch()
    assert folder.is_left(TIMING)
    folder.write_json(TIMING, {})
    assert not folder.is_left(TIMING)


def test_lock_is_seen_by_others_and_ends_with_its_holder(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, make_job())
    assert not folder.is_locked()
    with folder.lock():
        assert JobFolder(tmp_path, make_job()).is_locked()
    assert not folder.is_locked()


def test_folder_is_named_for_people_and_unique(tmp_path: Path) -> None:
    first, second = make_job("A/B: c", x=1), make_job("A/B: c", x=2)
    assert first.folder_name.startswith("A-B-c-some-data-seed0-")
    assert first.folder_name != second.folder_name


def test_time_is_estimated_from_other_seeds_and_else_from_the_mean(tmp_path: Path) -> None:
    done = [make_job("slow", 0), make_job("slow", 1), make_job("quick", 0)]
    for job, seconds in zip(done, (100, 300, 20), strict=True):
        times = {"train_seconds": seconds - 10, "test_seconds": 10}
        JobFolder(tmp_path, job).write_json(RESULT, times)
    estimates = Estimates(done, tmp_path)
    assert estimates.of(make_job("slow", 2)) == 200
    assert estimates.of(make_job("unknown", 0)) is None
    assert estimates.left([make_job("slow", 2), make_job("unknown", 0)]) == 200 + 140
    assert Estimates([], tmp_path).left([make_job()]) is None


def test_weights_that_are_there_or_shared_are_not_counted_again(tmp_path: Path) -> None:
    times = {"train_seconds": 100, "test_seconds": 10}
    JobFolder(tmp_path, make_job("a", 0, x=1)).write_json(RESULT, times)
    estimates = Estimates([make_job("a", 0, x=1)], tmp_path)
    scorings = [make_job("a", 1, x=1), make_job("a", 1, x=2)]
    assert estimates.left(scorings) == 100 + 10 + 10
    JobFolder(tmp_path, scorings[0]).training.mkdir(parents=True)
    JobFolder(tmp_path, scorings[0]).checkpoint.touch()
    assert estimates.of(scorings[0]) == 10
    assert estimates.left([*scorings, make_job("a", 2, x=1)]) == 10 + 10 + 100 + 10
