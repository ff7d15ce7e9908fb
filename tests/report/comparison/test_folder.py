# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Results folders with broken files: the job is shown as failed, the rest goes on."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from anogan_plugin.report.comparison import write_tables
from anogan_plugin.report.comparison.folder import UnreadableError, read_results
from tests.report.comparison.made_results import (
    ANOGAN,
    MOULD,
    PATCHCORE,
    Size,
    folder_of,
    make_results,
    write_comparison,
)

SMALL = Size(good=12, anomalous=12, held_out=20)


def change(folder: Path, action: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = folder / "scores.parquet"
    action(pd.read_parquet(path)).to_parquet(path, index=False)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def without(column: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, lambda table: table.drop(columns=column))


def with_nan(folder: Path) -> None:
    change(folder, lambda table: table.assign(score=table.score.where(table.index > 1)))


def other_images(folder: Path) -> None:
    change(folder, lambda table: table.assign(image_path="other/" + table.image_path))


def only_good(folder: Path) -> None:
    change(folder, lambda table: table.assign(label=0))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: truncate(folder / "result.json"), "result.json cannot be read"),
        (lambda folder: (folder / "result.json").write_text("[1]"), "result.json holds list"),
        (lambda folder: truncate(folder / "scores.parquet"), "scores.parquet cannot be read"),
        (lambda folder: (folder / "scores.parquet").unlink(), "scores.parquet is not there"),
        (without("defect_type"), "scores.parquet has no column 'defect_type'"),
        (without("score"), "scores.parquet has no column 'score'"),
        (with_nan, "2 of 44 values of 'score' are NaN or infinite"),
        (only_good, "expected good (0) and anomalous (1) test images, got [0]"),
        (other_images, "other images than those of 2 of the 3 jobs on IC mould"),
    ],
)
def test_a_broken_job_has_failed(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=3, size=SMALL)
    folder = folder_of(output, PATCHCORE, MOULD, 1)
    damage(folder)
    write_tables(output)
    table = pd.read_csv(output / "results.csv").set_index("seed")
    assert table.status.tolist() == ["done", "failed", "done"]
    assert reason in table.reason[1]
    assert folder.name in table.reason[1]
    summary = pd.read_csv(output / "summary.csv").iloc[0]
    assert (summary.seeds_done, summary.seeds_asked) == (2, 3)


def test_a_score_that_is_broken_leaves_the_others(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN], [MOULD], seeds=2, size=SMALL)
    without("local")(folder_of(output, ANOGAN, MOULD, 1))
    write_tables(output)
    table = pd.read_csv(output / "results.csv").set_index(["score", "seed"])
    assert table.status["score", 1] == "done"
    assert table.status["local", 1] == "failed"
    assert "has no column 'local'" in table.reason["local", 1]
    assert pd.read_csv(output / "summary.csv").seeds_done.tolist() == [2, 1]


def test_scores_are_good_without_times(tmp_path: Path) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=3, size=SMALL)
    truncate(folder_of(output, PATCHCORE, MOULD, 0) / "timing.json")
    untimed = folder_of(output, PATCHCORE, MOULD, 1)
    (untimed / "timing.json").unlink()
    (untimed / "error.txt").write_text("Traceback\nMemoryError: no room")
    write_tables(output)
    table = pd.read_csv(output / "results.csv")
    assert (table.status == "done").all()
    assert table.reason[0].startswith("not timed: job0/timing.json cannot be read")
    assert table.reason[1] == "not timed: MemoryError: no room"
    assert table.ms_batch_1.isna().tolist() == [True, True, False]
    assert pd.read_csv(output / "summary.csv").ms_batch_1[0] == 4.0


def test_an_unknown_column_of_scores_is_named(tmp_path: Path) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=1, size=SMALL)
    jobs = [{"model": PATCHCORE, "data": MOULD, "seed": 0, "folder": "job0"}]
    write_comparison(output, jobs, scores=["score", "lokal"])
    write_tables(output)
    text = (output / "summary.md").read_text()
    assert "No job that is done has the column of scores lokal." in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "comparison.json is not there"),
        ("{", "comparison.json cannot be read"),
        ('{"jobs": [{"model": 3}]}', "model of a job is 3"),
        (
            '{"jobs": [{"model": "a", "data": "d", "seed": 0, "folder": "f", "settings": 3}]}',
            "settings of a job are 3",
        ),
        ('{"jobs": [], "scores": ["score"]}', "KeyError.'overkill'"),
        ('{"jobs": [], "scores": ["score"], "overkill": 1}', "overkill is 1.0"),
    ],
)
def test_a_folder_without_a_comparison(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(UnreadableError, match=message):
        read_results(tmp_path)


def test_folders_of_other_jobs_are_left_alone(tmp_path: Path) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=2, size=SMALL)
    jobs = [{"model": PATCHCORE, "data": MOULD, "seed": 1, "folder": "job1"}]
    write_comparison(output, jobs)
    truncate(output / "jobs" / "job0" / "result.json")
    write_tables(output)
    assert pd.read_csv(output / "results.csv").seed.tolist() == [1]
