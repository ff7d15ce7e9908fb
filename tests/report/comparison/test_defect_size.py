# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""`detection.csv`, against a logistic regression of scikit-learn without a penalty."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from anogan_plugin.report.comparison import write_tables
from tests.report.comparison.made_results import (
    ANOGAN,
    DIGITS,
    MOULD,
    PATCHCORE,
    folder_of,
    images_tested,
    make_results,
    write_comparison,
)


def a90_by_regression(output: Path, seed: int, threshold: float) -> float:
    test = images_tested(output, ANOGAN, MOULD, seed)
    defects = test[test.label == 1]
    log_size = np.log(100 * defects.defect_area.to_numpy())[:, None]
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    fit.fit(log_size, defects.score > threshold)
    return float(np.exp((np.log(9) - fit.intercept_[0]) / fit.coef_[0, 0]))


def test_each_seed_is_fitted_alone(written: Path) -> None:
    table = pd.read_csv(written / "detection.csv").set_index(["data", "model"])
    results = pd.read_csv(written / "results.csv")
    mine = results[(results.model == ANOGAN) & (results.data == MOULD) & (results.score == "score")]
    thresholds = mine.set_index("seed").threshold
    sizes = [a90_by_regression(written, seed, thresholds[seed]) for seed in (0, 1)]
    row = table.loc[MOULD, ANOGAN]
    assert row.a90 == pytest.approx(np.median(sizes), rel=1e-3)
    assert row.a90_worst == pytest.approx(max(sizes), rel=1e-3)
    assert row.a90 < row.a90_95 <= row.a90_95_worst
    assert (row.defects, row.seeds_done, row.seeds_with_a90_95) == (80, 2, 2)
    done = mine[mine.status == "done"]
    assert row.found == pytest.approx(1 - done.escape_on_test.mean())
    assert 0.1 <= row.smallest < row.largest <= 20


def test_why_there_is_no_size(written: Path) -> None:
    table = pd.read_csv(written / "detection.csv").set_index(["data", "model"])
    without = table.loc[DIGITS, PATCHCORE]
    assert (without.defects, without.without_mask) == (0, 80)
    assert without.reason == "no defect has a mask: its size is not known"
    weak = table.loc[MOULD, PATCHCORE]
    assert weak.reason.startswith("seed 0: ")
    assert weak.seeds_with_a90_95 < weak.seeds_done
    assert np.isnan(weak.a90_95)
    assert np.isnan(weak.a90_95_worst)


def test_too_few_held_out_images(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN], [MOULD], seeds=1)
    jobs = [{"model": ANOGAN, "data": MOULD, "seed": 0, "folder": "job0"}]
    write_comparison(output, jobs, overkill=0.001)
    write_tables(output)
    result = pd.read_csv(output / "results.csv").iloc[0]
    assert result.status == "done"
    assert "hold out at least 999" in result.reason
    assert result[["threshold", "escape_on_test"]].isna().all()
    assert 0.5 < result.image_auroc < 1
    assert "hold out at least 999" in pd.read_csv(output / "detection.csv").reason[0]
    assert pd.read_csv(output / "by_defect.csv").escape.isna().all()


def test_a_seed_without_a_size_is_not_passed_over(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN], [MOULD], seeds=2)
    path = folder_of(output, ANOGAN, MOULD, 1) / "scores.parquet"
    table = pd.read_parquet(path)
    table.assign(score=table.score + 1000.0 * table.label).to_parquet(path)
    write_tables(output)
    row = pd.read_csv(output / "detection.csv").iloc[0]
    assert (row.seeds_done, row.seeds_with_a90, row.seeds_with_a90_95) == (2, 1, 1)
    assert row.reason == "seed 1: all 80 defects were found: test smaller ones"
    assert row[["a90", "a90_worst", "a90_95", "a90_95_worst"]].isna().all()
