# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Paired tests against MLstatkit, statsmodels, a permutation of models, and simulation."""

import numpy as np
import pytest
from MLstatkit import Delong_test
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from anogan_plugin.statistics.paired_tests import bootstrap_test, delong_test, holm
from tests.statistics.cases import pairwise_auroc, random_scores


def related(seed: int, levels: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and the scores of two models that agree in part; the second is better."""
    labels, first = random_scores(seed, levels=levels)
    noise = np.random.default_rng(seed + 100).normal(size=len(labels))
    second = 0.7 * first + 0.5 * noise + 0.5 * labels
    return labels, first, np.round(second) if levels else second


@pytest.mark.parametrize("levels", [0, 4])
@pytest.mark.parametrize("seed", range(4))
def test_delong_as_mlstatkit_has_it(seed: int, levels: int) -> None:
    labels, first, second = related(seed, levels)
    z, p_value, _, _, auroc_first, auroc_second, _ = Delong_test(labels, first, second)
    result = delong_test(labels, first, second)
    assert result.p_value == pytest.approx(p_value, abs=1e-9)
    # MLstatkit takes the second minus the first.
    assert result.difference.estimate == pytest.approx(auroc_first - auroc_second)
    half_width = result.difference.high - result.difference.estimate
    assert result.difference.estimate / half_width * 1.959964 == pytest.approx(-z, abs=1e-5)
    other_way = delong_test(labels, second, first)
    assert other_way.difference.estimate == pytest.approx(-result.difference.estimate)
    assert other_way.p_value == pytest.approx(result.p_value)


def test_models_that_order_alike_do_not_differ() -> None:
    labels, first, _ = related(0)
    for second in (first, np.exp(first)):
        result = delong_test(labels, first, second)
        assert (result.difference, result.p_value) == ((0, 0, 0), 1)
        result = bootstrap_test(labels, first[None], second[None], resamples=100)
        assert (result.difference, result.p_value) == ((0, 0, 0), 1)


def test_a_difference_of_one_pair_is_no_error() -> None:
    labels = np.repeat([0, 1], 50_000)
    first = np.arange(100_000.0)
    second = first.copy()
    second[[49_999, 50_000]] = second[[50_000, 49_999]]
    result = delong_test(labels, first, second)
    assert result.difference.estimate == pytest.approx(4e-10, rel=1e-3)
    assert 0.1 < result.p_value < 0.5


def test_a_perfect_model_against_constant_scores() -> None:
    labels = np.repeat([0, 1], 10)
    with pytest.raises(ValueError, match=r"differ by 0.5, and by as much on every image.*constant"):
        delong_test(labels, labels, np.zeros(20))


def test_level_of_delongs_test() -> None:
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 40)
    rejected = 0
    for _ in range(1000):
        shared = rng.normal(size=80) + labels
        first, second = shared + 0.5 * rng.normal(size=(2, 80))
        rejected += delong_test(labels, first, second).p_value < 0.05
    assert 0.03 <= rejected / 1000 <= 0.07


@pytest.mark.parametrize("levels", [0, 4])
def test_one_seed_each_is_the_plain_paired_bootstrap(levels: int) -> None:
    labels, first, second = related(1, levels)
    rows = [np.flatnonzero(labels == label) for label in (0, 1)]

    def statistic(good: np.ndarray, bad: np.ndarray) -> float:
        images = np.concatenate([good, bad]).astype(int)
        aurocs = [pairwise_auroc(labels[images], scores[images]) for scores in (first, second)]
        return aurocs[0] - aurocs[1]

    expected = bootstrap(
        rows, statistic, vectorized=False, method="percentile", n_resamples=2000, rng=0
    ).confidence_interval
    result = bootstrap_test(labels, first[None], second[None])
    assert result.difference.estimate == pytest.approx(statistic(*rows))
    assert (result.difference.low, result.difference.high) == pytest.approx(expected, abs=0.012)


def test_seeds_widen_the_difference() -> None:
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 100)
    images = rng.normal(size=200) + labels
    first = images + 0.1 * rng.normal(size=(5, 200)) + labels * rng.normal(0.6, 0.6, (5, 1))
    second = images + 0.1 * rng.normal(size=(3, 200)) + labels * rng.normal(0, 0.6, (3, 1))
    result = bootstrap_test(labels, first, second)
    aurocs = [[roc_auc_score(labels, s) for s in rows] for rows in (first, second)]
    assert result.difference.estimate == pytest.approx(np.mean(aurocs[0]) - np.mean(aurocs[1]))
    # Seeds of either model vary by themselves: their variances of the mean add up.
    over_seeds = np.var(aurocs[0], ddof=1) / 5 + np.var(aurocs[1], ddof=1) / 3
    width = result.difference.high - result.difference.low
    assert width > 0.85 * 2 * 1.96 * over_seeds**0.5
    alone = bootstrap_test(labels, first[:1], second[:1]).difference
    assert width > 1.5 * (alone.high - alone.low)


def test_level_of_the_bootstrap_test() -> None:
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 40)
    rejected = 0
    for _ in range(300):
        images = rng.normal(size=80) + labels
        noise = 0.3 * rng.normal(size=(2, 5, 80)) + labels * rng.normal(0, 0.2, (2, 5, 1))
        first, second = images + noise
        rejected += bootstrap_test(labels, first, second, resamples=300).p_value < 0.05
    assert 0.01 <= rejected / 300 <= 0.10


def test_a_clear_difference_has_the_smallest_p_value() -> None:
    labels = np.repeat([0, 1], 50)
    chance = np.tile(np.arange(50.0), 2)[None]
    result = bootstrap_test(labels, labels[None] + 0.0, chance, resamples=199)
    assert result.difference.estimate == 0.5
    assert result.p_value == pytest.approx(2 / 200)


def test_holm_by_hand() -> None:
    # Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1 raised to the one before it.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    np.testing.assert_allclose(holm([0.3]), [0.3])


@pytest.mark.parametrize("count", [1, 20])
def test_holm_as_statsmodels_has_it(count: int) -> None:
    p_values = np.random.default_rng(0).random(count) ** 3
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


def test_wrong_input_is_refused() -> None:
    labels, first, second = related(0)
    with pytest.raises(ValueError, match=r"expected p-values \(m,\) in \[0, 1\], got \[1.2\]"):
        holm([1.2])
    with pytest.raises(ValueError, match="1 of 2 p-values are NaN"):
        holm([0.1, np.nan])
    with pytest.raises(ValueError, match="expected p-values"):
        holm([])
    with pytest.raises(ValueError, match=r"got \(70,\) and \(69,\)"):
        delong_test(labels, first, second[1:])
    with pytest.raises(ValueError, match=r"scores \(seeds, N\)"):
        bootstrap_test(labels, first, second)
    second[0] = np.inf
    for test, rows in (
        (delong_test, (first, second)),
        (bootstrap_test, (first[None], second[None])),
    ):
        with pytest.raises(ValueError, match="1 of 70 scores are NaN or infinite"):
            test(labels, *rows)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        delong_test(labels, first, first + labels, confidence=95)
