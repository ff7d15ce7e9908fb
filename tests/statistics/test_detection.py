# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Image metrics against scikit-learn, anomalib and every pair by hand."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from anomalib.metrics.f1_score import _F1Max
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from anogan_plugin.statistics.detection import (
    RANK_METRICS,
    average_precision,
    detection_metrics,
    f1_max,
    fpr_at_95_tpr,
    image_auroc,
)
from anogan_plugin.statistics.roc import roc_counts
from tests.statistics.cases import CASES, Labelled, pairwise_auroc

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
METRICS: list[Callable] = [image_auroc, average_precision, f1_max, fpr_at_95_tpr, detection_metrics]
every_metric = pytest.mark.parametrize("metric", METRICS)


@every_case
def test_auroc_counts_pairs(case: Labelled) -> None:
    assert image_auroc(*case) == pytest.approx(pairwise_auroc(*case), abs=1e-12)
    assert image_auroc(*case) == pytest.approx(roc_auc_score(*case), abs=1e-12)


@every_case
def test_average_precision(case: Labelled) -> None:
    assert average_precision(*case) == pytest.approx(average_precision_score(*case), abs=1e-12)


@every_case
def test_best_f1_and_its_threshold(case: Labelled) -> None:
    labels, scores = case
    tried = []
    for threshold in np.unique(scores):  # rising: `max` takes the lowest of equal ones
        hits = int(np.sum(labels[scores >= threshold]))
        tried.append(
            (Fraction(2 * hits, int(np.sum(scores >= threshold) + labels.sum())), threshold)
        )
    f1, threshold = max(tried, key=lambda pair: pair[0])
    assert f1_max(*case) == (pytest.approx(float(f1), abs=1e-12), threshold)


def test_best_f1_as_anomalib_has_it() -> None:
    labels, scores = CASES["many ties"]
    metric = _F1Max()
    metric.update(torch.tensor(scores), torch.tensor(labels))
    assert f1_max(labels, scores)[0] == pytest.approx(float(metric.compute()), abs=1e-6)
    assert f1_max(labels, scores)[1] == float(metric.threshold)


@every_case
def test_false_positive_rate_at_95(case: Labelled) -> None:
    fpr, tpr, _ = roc_curve(*case, drop_intermediate=False)
    assert fpr_at_95_tpr(*case) == fpr[tpr >= 0.95 - 1e-12][0]


@pytest.mark.parametrize("anomalous", [1, 19, 20, 21, 100, 1000])
def test_95_percent_is_counted_in_whole_images(anomalous: int) -> None:
    # One good image below each anomalous one: as many are rejected as anomalous images lie above.
    labels = np.tile([1, 0], anomalous)
    scores = -np.arange(2.0 * anomalous)
    needed = math.ceil(Fraction(95, 100) * anomalous)
    assert fpr_at_95_tpr(labels, scores) == (needed - 1) / anomalous


def test_constant_scores_are_chance() -> None:
    assert detection_metrics([0, 0, 0, 1], [7, 7, 7, 7]) == {
        "auroc": 0.5,
        "aupr": 0.25,
        "f1_max": 0.4,
        "fpr_at_95_tpr": 1.0,
        "f1_max_threshold": 7.0,
    }


@every_case
@pytest.mark.parametrize("name", RANK_METRICS)
def test_copies_are_as_good_as_repeated_images(case: Labelled, name: str) -> None:
    labels, scores = case
    copies = np.random.default_rng(0).integers(0, 3, size=(8, len(labels)))
    copies[:, [labels.argmin(), labels.argmax()]] = 1  # one image of either label is left
    metric = RANK_METRICS[name]
    together = metric(roc_counts(labels == 1, scores, copies))
    one_by_one = [
        metric(roc_counts(np.repeat(labels, row) == 1, np.repeat(scores, row))) for row in copies
    ]
    np.testing.assert_allclose(together, one_by_one, atol=1e-12)


@every_metric
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(metric: Callable, bad: float) -> None:
    with pytest.raises(ValueError, match="2 of 4 scores are NaN or infinite: leave out the run"):
        metric([0, 1, 0, 1], [1, bad, 2, bad])


@every_metric
def test_labels_that_do_not_fit_are_refused(metric: Callable) -> None:
    with pytest.raises(ValueError, match="got 2 good and 0 anomalous: test on both"):
        metric([0, 0], [1, 2])
    with pytest.raises(ValueError, match="got 0 good and 1 anomalous"):
        metric([1], [1])
    with pytest.raises(ValueError, match=r"expected labels \(N,\).*got \(2,\) and \(3,\)"):
        metric([0, 1], [1, 2, 3])
    with pytest.raises(ValueError, match=r"labels must be 0 \(good\) or 1.*got \[0, 2\]"):
        metric([0, 2], [1, 2])
    with pytest.raises(ValueError, match=r"got \(0,\)"):
        metric([], [])
