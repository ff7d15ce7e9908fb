# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Overkill and escape, against simulation and counting by hand."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import roc_curve
from statsmodels.stats.proportion import proportion_confint

from anogan_plugin.statistics.inspection import (
    escape_at_overkill,
    held_out_images_needed,
    held_out_threshold,
    inspect,
    overkill_at_zero_escape,
)
from tests.statistics.cases import CASES, Labelled

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.mark.parametrize("percent", [1, 2, 3, 5, 7, 10, 20, 50])
@pytest.mark.parametrize("images", [99, 100, 101, 199, 999])
def test_threshold_is_the_conformal_quantile(images: int, percent: int) -> None:
    # The rank in exact fractions, where floating point would be off by one now and then.
    rank = -((-(images + 1) * (1 - Fraction(percent, 100))) // 1)
    scores = np.random.default_rng(0).permutation(np.arange(1, images + 1))
    assert held_out_threshold(scores, percent / 100) == rank


def test_promised_overkill_is_kept_on_average_and_not_undercut() -> None:
    rng = np.random.default_rng(0)
    held_out, new = rng.normal(size=(4000, 39)), rng.normal(size=(4000, 50))
    thresholds = np.array([held_out_threshold(row, 0.1) for row in held_out])
    overkill = (new > thresholds[:, None]).mean(1)
    assert overkill.mean() == pytest.approx(0.1, abs=0.003)  # exactly 4 / 40
    # Above one threshold the share is Beta(allowed, n + 1 − allowed): the doc's "it varies".
    assert overkill.var() > beta(4, 36).var()


def test_ties_only_make_the_promise_safer() -> None:
    rng = np.random.default_rng(0)
    held_out, new = rng.integers(0, 5, (2000, 39)), rng.integers(0, 5, (2000, 50))
    thresholds = np.array([held_out_threshold(row, 0.1) for row in held_out])
    assert (new > thresholds[:, None]).mean() < 0.1


@pytest.mark.parametrize(("overkill", "needed"), [(0.01, 99), (0.05, 19), (0.1, 9), (0.03, 33)])
def test_too_few_held_out_images(overkill: float, needed: int) -> None:
    assert held_out_images_needed(overkill) == needed
    assert held_out_threshold(range(needed), overkill) == needed - 1
    with pytest.raises(
        ValueError, match=f"{needed - 1} held-out .* hold out at least {needed}, or"
    ):
        held_out_threshold(range(needed - 1), overkill)
    with pytest.raises(ValueError, match="0 held-out good images cannot"):
        held_out_threshold([], overkill)


def test_counts_at_a_threshold_and_their_intervals() -> None:
    labels = np.repeat([0, 1], [50, 20])
    scores = np.concatenate([np.arange(50.0), np.arange(40.0, 60.0)])
    result = inspect(labels, scores, 45.0, confidence=0.9)
    # Good: 46 to 49 are above. Anomalous: 40 to 45 are not; 45 itself passes.
    assert (result.overkill.count, result.overkill.total) == (4, 50)
    assert (result.escape.count, result.escape.total) == (6, 20)
    assert result.escape.rate == 0.3
    for part in (result.overkill, result.escape):
        expected = proportion_confint(part.count, part.total, alpha=0.1, method="beta")
        assert (part.low, part.high) == pytest.approx(expected, abs=1e-9)


def test_no_escape_among_few_defects_is_not_certain() -> None:
    escape = inspect([0] + [1] * 30, [0, *range(1, 31)], 0.5).escape
    assert (escape.rate, escape.low) == (0, 0)
    assert escape.high == pytest.approx(1 - 0.025 ** (1 / 30))


@every_case
def test_overkill_at_zero_escape(case: Labelled) -> None:
    fpr, tpr, _ = roc_curve(*case, drop_intermediate=False)
    assert overkill_at_zero_escape(*case) == pytest.approx(fpr[tpr == 1].min())


@every_case
@pytest.mark.parametrize("overkill", [0.01, 0.07, 0.1, 0.5, 0.99])
def test_escape_at_overkill(case: Labelled, overkill: float) -> None:
    fpr, tpr, _ = roc_curve(*case, drop_intermediate=False)
    best = tpr[fpr <= overkill + 1e-12].max()
    assert escape_at_overkill(*case, overkill) == pytest.approx(1 - best)


def test_escape_at_a_whole_number_of_good_images() -> None:
    # 7 % of 100 good images is seven, though 100 x 0.07 is 7.000000000000001 and 0.29 x 100 less.
    labels, scores = np.repeat([0, 1], [100, 100]), np.tile(np.arange(100.0), 2)
    assert escape_at_overkill(labels, scores, 0.07) == pytest.approx(0.93)
    assert escape_at_overkill(labels, scores, 0.29) == pytest.approx(0.71)


@pytest.mark.parametrize("overkill", [0, 1, -0.1, 5, float("nan")])
def test_an_overkill_that_is_no_share_is_refused(overkill: float) -> None:
    for refused in (
        lambda: held_out_threshold([1.0] * 99, overkill),
        lambda: held_out_images_needed(overkill),
        lambda: escape_at_overkill([0, 1], [0, 1], overkill),
    ):
        with pytest.raises(ValueError, match="overkill must be between 0 and 1, such"):
            refused()


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 20 held-out scores are NaN or infinite"):
        held_out_threshold([np.nan, *range(19)], 0.05)
    with pytest.raises(ValueError, match="1 of 1 thresholds are NaN or infinite"):
        inspect([0, 1], [0, 1], np.inf)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        inspect([0, 1], [0, 1], 0, confidence=95)
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        overkill_at_zero_escape([0, 1], [0, np.nan])
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        escape_at_overkill([0, 1], [0, np.nan], 0.1)
