# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A job that is killed while it scores goes on where it was."""

import multiprocessing
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anogan_plugin.comparison import scored_batches
from anogan_plugin.comparison.configuration import read_comparison
from anogan_plugin.comparison.execution import run_job
from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import JobFolder
from anogan_plugin.comparison.scored_batches import SavedBatches, ScoredBatch
from tests.comparison.small import TIMEOUT, broken, small_comparison, write


def score_until_killed(config: Path, output: Path) -> None:
    scored_batches._SECONDS = 0  # as if each batch took longer
    (job,) = read_comparison(config).jobs
    run_job(job, output)


def job_of(folder: Path, rendered_set: Path, how: str) -> tuple[Path, Job]:
    configuration = small_comparison(rendered_set)
    configuration["data"][0]["init_args"]["eval_batch_size"] = 5
    configuration["models"] = [broken("brightness", how, go=str(folder / "go"))]
    config = write(folder / "c.yaml", configuration)
    (job,) = read_comparison(config).jobs
    return config, job


def test_a_killed_job_scores_what_is_left(rendered_set: Path, tmp_path: Path) -> None:
    config, job = job_of(tmp_path, rendered_set, "kill")
    out, go = tmp_path / "out", tmp_path / "go"
    # A fork of the process from which comparisons fork theirs, which has imported everything.
    process = multiprocessing.get_context("forkserver").Process(
        target=score_until_killed, args=(config, out)
    )
    process.start()
    process.join(TIMEOUT)
    assert process.exitcode == -signal.SIGKILL
    # Two held-out images, and the first five of twelve test images.
    assert go.read_text().split() == ["2", "5", "killed"]
    folder = JobFolder(out, job)
    trained = folder.checkpoint.stat().st_mtime_ns
    assert len(list(folder.scored.glob("*/*.npz"))) == 2
    run_job(job, out)
    assert go.read_text().split() == ["2", "5", "killed", "5", "2"]
    assert folder.checkpoint.stat().st_mtime_ns == trained
    assert not folder.scored.exists()

    _, other = job_of(tmp_path, rendered_set, "look")
    run_job(other, tmp_path / "whole")
    whole = JobFolder(tmp_path / "whole", other)
    pd.testing.assert_frame_equal(pd.read_parquet(folder.scores), pd.read_parquet(whole.scores))
    for path in whole.examples.iterdir():
        assert (folder.examples / path.name).read_bytes() == path.read_bytes()
    results = [each.read_json("result.json") or {} for each in (folder, whole)]
    assert results[0]["pixel"] == results[1]["pixel"]


@pytest.fixture
def written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anogan_plugin.comparison.scored_batches._SECONDS", 0)


def batch(score: float = 1.0, **pictures: Any) -> ScoredBatch:
    paths = np.array(["a/good one.png", "b/ü.png"])
    rows = {"image_path": paths, "label": np.array([0, 1], np.int8), "score": np.full(2, score)}
    return ScoredBatch("test", rows, 1.5, pictures)


@pytest.mark.usefixtures("written_at_once")
def test_batches_come_back_as_they_were(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((2, 8, 8), np.float32)
    SavedBatches(tmp_path, "one").keep(0, batch(maps=maps, masks=maps > 0.5))
    (found,) = SavedBatches(tmp_path, "one").load()
    expected = batch(maps=maps, masks=maps > 0.5)
    assert (found.split, found.seconds) == (expected.split, expected.seconds)
    for mine, others in ((found.rows, expected.rows), (found.pictures, expected.pictures)):
        assert set(mine) == set(others)
        for name, values in others.items():
            assert mine[name].dtype == values.dtype
            assert (mine[name] == values).all()


@pytest.mark.usefixtures("written_at_once")
def test_only_batches_before_the_first_gap_count(tmp_path: Path) -> None:
    saved = SavedBatches(tmp_path, "one")
    for index, score in enumerate((0.0, 1.0, float("nan"), 3.0)):
        saved.keep(index, batch(score))
    assert [each.rows["score"][0] for each in SavedBatches(tmp_path, "one").load()] == [0, 1]
    (first,) = tmp_path.glob("one/000000.npz")
    first.write_bytes(first.read_bytes()[:-40])  # by a loss of power
    assert SavedBatches(tmp_path, "one").load() == []


@pytest.mark.usefixtures("written_at_once")
def test_batches_of_another_scoring_go(tmp_path: Path) -> None:
    SavedBatches(tmp_path, "one").keep(0, batch())
    assert SavedBatches(tmp_path, "two").load() == []
    assert list(tmp_path.iterdir()) == []


def test_quick_scoring_writes_nothing(tmp_path: Path) -> None:
    SavedBatches(tmp_path, "one").keep(0, batch())
    assert list(tmp_path.iterdir()) == []
