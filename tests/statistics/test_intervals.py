# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Intervals against other packages, the plain bootstrap, and simulations of their coverage."""

import time

import numpy as np
import pytest
from MLstatkit import Delong_test
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm
from sklearn.metrics import average_precision_score, roc_auc_score

from anogan_plugin.statistics.delong import delong_variance, placements
from anogan_plugin.statistics.intervals import (
    cell_interval,
    delong_interval,
    mean_and_deviation,
    perfect_auroc_bound,
)
from anogan_plugin.statistics.resampling import image_copies, seed_shares
from tests.statistics.cases import CASES, Labelled, pairwise_auroc, random_scores

enough_images = pytest.mark.parametrize(
    "case", [CASES[name] for name in ("continuous", "many ties", "few anomalous", "inverted")]
)


def runs(
    rng: np.random.Generator, seeds: int, images: int, between_seeds: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Scores of several seeds on the same images, most of their spread being the images' own."""
    labels = np.repeat([0, 1], images)
    shift = 1.5 + between_seeds * rng.normal(size=(seeds, 1))
    noise = 0.9**0.5 * rng.normal(size=2 * images) + 0.1**0.5 * rng.normal(size=(seeds, 2 * images))
    return labels, noise + shift * labels


def test_mean_and_sample_deviation() -> None:
    assert mean_and_deviation([0.9, 0.8, 0.7, 0.6]) == pytest.approx((0.75, (0.05 / 3) ** 0.5))
    mean, deviation = mean_and_deviation([0.9])
    assert mean == 0.9
    assert np.isnan(deviation)
    with pytest.raises(ValueError, match="1 of 2 values are NaN"):
        mean_and_deviation([0.9, np.nan])
    with pytest.raises(ValueError, match=r"one value per seed, \(S,\), got \(0,\)"):
        mean_and_deviation([])


@enough_images
def test_delong_variance_pair_by_pair(case: Labelled) -> None:
    labels, scores = case
    anomalous, good = scores[labels == 1], scores[labels == 0]
    wins = np.array([[(a > g) + 0.5 * (a == g) for g in good] for a in anomalous])
    variance = wins.mean(1).var(ddof=1) / len(anomalous) + wins.mean(0).var(ddof=1) / len(good)
    assert delong_variance(*case) == pytest.approx((wins.mean(), variance), abs=1e-12)
    assert placements(*case).above.mean() == pytest.approx(wins.mean())


@pytest.mark.parametrize("name", ["continuous", "many ties"])
def test_delong_interval_against_mlstatkit(name: str) -> None:
    labels, scores = CASES[name]
    _, _, (low, high), _, auroc, _, _ = Delong_test(labels, scores, -scores)
    result = delong_interval(*CASES[name])
    assert result.estimate == pytest.approx(auroc)
    # Theirs is symmetric in the AUROC, ours in its logit: the same error at the same place.
    error = (high - low) / 2 / norm.isf(0.025)
    assert delong_variance(*CASES[name])[1] == pytest.approx(error**2, rel=1e-6)
    for end, sign in ((result.low, -1), (result.high, 1)):
        moved = np.log(end / (1 - end)) - np.log(auroc / (1 - auroc))
        assert moved == pytest.approx(sign * 1.959964 * error / (auroc * (1 - auroc)), rel=1e-4)


def test_perfect_separation_is_not_certainty() -> None:
    labels = np.repeat([0, 1], [40, 30])
    assert delong_variance(labels, labels)[1] == 0
    assert delong_interval(labels, labels) == (1.0, pytest.approx(0.025 ** (1 / 30)), 1.0)
    assert delong_interval(labels, -labels) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 30)))
    # A model whose AUROC is at the bound gets no pair wrong at most 5 % of the time.
    bound, rng = perfect_auroc_bound(8, 5), np.random.default_rng(0)
    good, bad = rng.normal(size=(20_000, 8)), rng.normal(size=(20_000, 5))
    perfect = good.max(1) < (bad + norm.ppf(bound) * 2**0.5).min(1)
    assert 0 < perfect.mean() <= 0.05
    with pytest.raises(ValueError, match="expected good and anomalous images, got 0 and 5"):
        perfect_auroc_bound(0, 5)


def test_delong_needs_two_of_each() -> None:
    with pytest.raises(ValueError, match="expected two images of either label, got 2 good and 1"):
        delong_variance([0, 0, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="1 of 3 scores are NaN or infinite"):
        delong_variance([0, 1, 1], [1, np.inf, 3])


def test_delong_interval_covers() -> None:
    rng, truth = np.random.default_rng(0), norm.cdf(2 / 2**0.5)
    covered = 0
    for _ in range(1500):
        labels, scores = runs(rng, 1, 40, 0)
        _, low, high = delong_interval(labels, scores[0] + 0.5 * labels)
        covered += low <= truth <= high
    assert 0.935 <= covered / 1500 <= 0.97


@pytest.mark.parametrize(
    ("metric", "function"), [("auroc", pairwise_auroc), ("aupr", average_precision_score)]
)
def test_one_seed_is_the_plain_bootstrap_per_label(metric: str, function: object) -> None:
    labels, scores = random_scores(0, good=60, anomalous=50)
    both = np.repeat([0, 1], [60, 50])

    def statistic(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
        return function(both, np.concatenate([good, bad]))  # type: ignore[operator]

    expected = bootstrap(
        (scores[labels == 0], scores[labels == 1]),
        statistic,
        vectorized=False,
        method="percentile",
        n_resamples=4000,
        rng=0,
    ).confidence_interval
    result = cell_interval(labels, scores[None], metric, resamples=8000)
    assert result.estimate == pytest.approx(function(labels, scores))  # type: ignore[operator]
    assert (result.low, result.high) == pytest.approx(expected, abs=0.01)


def test_seeds_and_images_are_drawn_together_as_in_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    labels, scores = runs(rng, 5, 40, 0.6)
    means = []
    for _ in range(5000):
        images = np.concatenate(
            [rng.choice(np.flatnonzero(labels == label), 40) for label in (0, 1)]
        )
        rows = rng.integers(5, size=4)  # one fewer than there are
        means.append(np.mean([pairwise_auroc(labels[images], scores[r, images]) for r in rows]))
    result = cell_interval(labels, scores, resamples=5000)
    assert result.estimate == pytest.approx(np.mean([roc_auc_score(labels, s) for s in scores]))
    assert (result.low, result.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.007)


def test_draws() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([True, False, False, True, False])
    copies = image_copies(labels, 500, rng)
    assert (copies[:, labels].sum(1) == 2).all()
    assert (copies[:, ~labels].sum(1) == 3).all()
    np.testing.assert_allclose(copies.mean(0), 1, atol=0.15)
    assert (seed_shares(1, 3, rng) == 1).all()
    # The mean of the draws varies as the mean of five seeds does: s² / 5.
    values = np.array([1.0, 2.0, 4.0, 8.0, 9.0])
    drawn = seed_shares(5, 50_000, rng) @ values
    assert drawn.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.03)


@pytest.mark.parametrize(
    ("seeds", "between_seeds", "lowest", "highest"),
    # The last: where seeds make the difference, five of them are too few, as the doc says.
    [(1, 0.0, 0.92, 0.97), (5, 0.0, 0.92, 0.98), (5, 0.5, 0.88, 0.97), (5, 1.5, 0.78, 0.90)],
)
def test_coverage_over_seeds_and_images(
    seeds: int, between_seeds: float, lowest: float, highest: float
) -> None:
    rng = np.random.default_rng(0)
    truth = norm.cdf(1.5 / (2 + between_seeds**2) ** 0.5)
    covered = 0
    for _ in range(400):
        _, low, high = cell_interval(*runs(rng, seeds, 40, between_seeds), resamples=300)
        covered += low <= truth <= high
    assert lowest <= covered / 400 <= highest


def test_images_alone_do_not_cover_another_training_run() -> None:
    rng = np.random.default_rng(0)
    truth = norm.cdf(1.5 / (2 + 1.0) ** 0.5)
    covered = 0
    for _ in range(200):
        _, low, high = cell_interval(*runs(rng, 1, 100, 1.0), resamples=200)
        covered += low <= truth <= high
    assert covered / 200 < 0.6


def test_same_seed_same_interval_and_constant_scores() -> None:
    labels, scores = runs(np.random.default_rng(0), 3, 30, 0.5)
    assert cell_interval(labels, scores) == cell_interval(labels, scores)
    assert cell_interval(labels, scores) != cell_interval(labels, scores, seed=1)
    assert cell_interval(labels, scores) == cell_interval(labels, np.exp(scores))  # ranks alone
    assert cell_interval(labels, np.zeros((3, 60))) == (0.5, 0.5, 0.5)


def test_wrong_arguments_are_named() -> None:
    labels, scores = runs(np.random.default_rng(0), 3, 30, 0.5)
    with pytest.raises(ValueError, match=r"metric must be one of \('auroc', .*got 'accuracy'"):
        cell_interval(labels, scores, "accuracy")
    with pytest.raises(ValueError, match=r"scores \(seeds, N\) .* got \(60,\) and \(60,\)"):
        cell_interval(labels, scores[0])
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        cell_interval(labels, scores, confidence=95)
    scores[1, 3] = np.nan
    with pytest.raises(ValueError, match="1 of 180 scores are NaN or infinite"):
        cell_interval(labels, scores)


def test_a_table_of_results_is_quick() -> None:
    labels, scores = runs(np.random.default_rng(0), 5, 927, 0.5)
    start = time.perf_counter()
    cell_interval(labels, scores)
    assert time.perf_counter() - start < 10  # 0.5 s on an idle core
