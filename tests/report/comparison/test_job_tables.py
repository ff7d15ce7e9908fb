# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""`results.csv` and `by_defect.csv`, against scikit-learn on the same scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from tests.report.comparison.made_results import (
    ANOGAN,
    DIGITS,
    FAILED,
    HELD_OUT,
    MOULD,
    NOT_RUN,
    PATCHCORE,
    REASON,
    folder_of,
    images_tested,
)


@pytest.fixture(scope="module")
def results(written: Path) -> pd.DataFrame:
    return pd.read_csv(written / "results.csv")


def row_of(table: pd.DataFrame, model: str, data: str, seed: int, score: str) -> pd.Series:
    chosen = (table.model == model) & (table.data == data) & (table.seed == seed)
    (index,) = table.index[chosen & (table.score == score)]
    return table.loc[index]


CASES = [
    (ANOGAN, MOULD, 0, "score"),
    (ANOGAN, DIGITS, 1, "local"),
    (PATCHCORE, MOULD, 2, "score"),
]


@pytest.mark.parametrize("case", CASES)
def test_metrics_are_those_of_scikit_learn(
    results: pd.DataFrame, written: Path, case: tuple[str, str, int, str]
) -> None:
    row, test = row_of(results, *case), images_tested(written, *case[:3])
    labels, scores = test.label, test[case[3]]
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert row.image_auroc == pytest.approx(roc_auc_score(labels, scores))
    assert row.image_aupr == pytest.approx(average_precision_score(labels, scores))
    assert row.image_f1_max == pytest.approx(f1.max())
    assert row.fpr_at_95_tpr == pytest.approx(fpr[tpr >= 0.95 - 1e-9].min())
    assert row.overkill_at_zero_escape == pytest.approx(fpr[tpr == 1].min())
    assert row.escape_at_overkill == pytest.approx(1 - tpr[fpr <= 0.05].max())


@pytest.mark.parametrize("case", CASES)
def test_the_threshold_is_of_held_out_images_alone(
    results: pd.DataFrame, written: Path, case: tuple[str, str, int, str]
) -> None:
    row, test = row_of(results, *case), images_tested(written, *case[:3])
    table = pd.read_parquet(folder_of(written, *case[:3]) / "scores.parquet")
    held_out = np.sort(table[table.split == "held_out"][case[3]])
    # 5 % of 51: two of the fifty may lie above.
    assert len(held_out) == HELD_OUT
    assert np.sum(held_out >= row.threshold) == 2
    rejected = test[case[3]] > row.threshold
    assert row.overkill_on_test == pytest.approx(rejected[test.label == 0].mean())
    assert row.escape_on_test == pytest.approx(1 - rejected[test.label == 1].mean())


def test_what_the_job_took_is_in_its_row(results: pd.DataFrame) -> None:
    row = row_of(results, ANOGAN, MOULD, 1, "score")
    assert row.pixel_auroc == pytest.approx(0.91)
    assert (row.train_seconds, row.ms_batch_1, row.ms_batch_32) == (101, 3, 0.5)
    assert (row.parameters, row.images_tested, row.epochs) == (1_500_000, 140, 40)
    assert (row.problem, row.key) == ("the discriminator has won", "key1")
    assert row.timed_on == "a processor, cpu, 2 threads, a host"


def test_pixel_metrics_stand_beside_the_own_score_only(results: pd.DataFrame) -> None:
    assert np.isnan(row_of(results, ANOGAN, MOULD, 1, "local").pixel_auroc)
    assert np.isnan(row_of(results, ANOGAN, DIGITS, 1, "score").pixel_auroc)


def test_jobs_that_are_not_done_are_rows(results: pd.DataFrame) -> None:
    assert len(results) == 12 + 6  # AnoGAN has two scores
    failed, not_run = row_of(results, *FAILED, "score"), row_of(results, *NOT_RUN, "score")
    assert (failed.status, failed.reason) == ("failed", REASON)
    assert not_run.status == "not run"
    assert failed[["image_auroc", "train_seconds", "escape_on_test"]].isna().all()
    assert (results.status == "done").sum() == len(results) - 3


def test_each_type_of_defect_stands_against_all_good_images(written: Path) -> None:
    table = pd.read_csv(written / "by_defect.csv")
    results = pd.read_csv(written / "results.csv")
    case = (ANOGAN, MOULD, 0, "local")
    test = images_tested(written, *case[:3])
    mine = table[(table.model == ANOGAN) & (table.data == MOULD) & (table.seed == 0)]
    mine = mine[mine.score == "local"].set_index("defect_type")
    assert set(mine.index) == {"short fill", "void"}
    for kind, row in mine.iterrows():
        part = test[(test.label == 0) | (test.defect_type == kind)]
        assert row.n == part.label.sum()
        assert row.auroc == pytest.approx(roc_auc_score(part.label, part.local))
        passed = part[part.label == 1].local <= row_of(results, *case).threshold
        assert row.escape == pytest.approx(passed.mean())
    assert FAILED not in set(zip(table.model, table.data, table.seed, strict=True))
