# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Whether one model is better than another on the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from anogan_plugin.statistics.checks import finite, labelled_scores, share
from anogan_plugin.statistics.delong import Placements, placements
from anogan_plugin.statistics.detection import auroc_of
from anogan_plugin.statistics.intervals import Interval, percentile_interval
from anogan_plugin.statistics.resampling import image_copies, resampled_means, seed_shares
from anogan_plugin.statistics.roc import roc_counts

_NO_VARIANCE = 1e-30  # one pair of a million images each, ordered differently, gives 1e-25
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedResult:
    """A difference of AUROCs, first model minus second.

    Attributes:
        difference: ΔAUROC in [-1, 1] with its confidence interval; positive: the first is better.
        p_value: Two-sided, in [0, 1], of the hypothesis that the difference is 0; not corrected
            for other tests, see :func:`holm`.
    """

    difference: Interval
    p_value: float


def delong_test(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> PairedResult:
    """DeLong's paired test of two trained models, one seed of each.

    ``z = (A₁ − A₂) / √(V₁₁ + V₂₂ − 2 V₁₂)``, with the covariance of the
    :func:`~anogan_plugin.statistics.delong.placements`. It speaks of these two sets of weights on
    other images of the kind, not of the two methods: for those, :func:`bootstrap_test`.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        first: ``(N,)`` float scores of one model, higher is more anomalous.
        second: ``(N,)`` float scores of the other, of the same images in the same order.
        confidence: Of the interval, in (0, 1).

    Returns:
        The difference first − second and its p-value; 1 if both models order every pair alike.

    Raises:
        ValueError: If there are fewer than two images of a label, the lengths differ, a score is
            NaN or infinite, or ``confidence`` is not in (0, 1). Or if the AUROCs differ by the
            same on every image: a perfect model against one with constant scores.

    Example:
        >>> labels = [0, 0, 0, 1, 1, 1]
        >>> result = delong_test(labels, [1, 2, 3, 4, 5, 6], [1, 4, 3, 2, 5, 6])
        >>> round(result.difference.estimate, 3), round(result.p_value, 3)
        (0.222, 0.371)
    """
    of_first, of_second = placements(labels, first), placements(labels, second)
    # V₁₁ + V₂₂ − 2 V₁₂ is the variance of the differences; exactly 0 if there are none.
    change = Placements(of_first.below - of_second.below, of_first.above - of_second.above)
    difference, variance = float(change.below.mean()), change.variance()
    if variance < _NO_VARIANCE:
        if abs(difference) > _ROUNDING:
            msg = (
                f"the AUROCs differ by {difference:g}, and by as much on every image: DeLong's "
                "test has nothing to judge by; look for constant scores"
            )
            raise ValueError(msg)
        return PairedResult(Interval(0.0, 0.0, 0.0), 1.0)
    error = np.sqrt(variance)
    half_width = norm.isf((1 - share(confidence, "confidence")) / 2) * error
    interval = Interval(difference, difference - half_width, difference + half_width)
    return PairedResult(interval, float(2 * norm.sf(abs(difference) / error)))


def bootstrap_test(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> PairedResult:
    """ΔAUROC of two methods, each trained with several seeds, over seeds and images together.

    Each resample draws images, per label and the same ones for both models, and seeds, for each
    model by itself: seed 3 of one model has nothing to do with seed 3 of the other. The interval
    is the percentile one; the p-value is ``2 min(P(Δ* ≤ 0), P(Δ* ≥ 0))``, with one resample added
    to either count, so that it is never 0. What
    :func:`~anogan_plugin.statistics.intervals.cell_interval` says of few seeds holds here too: with
    five, a p-value just below 0.05 is no proof. With one seed each, only images are drawn.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        first: ``(S, N)`` float scores of one model, a row per seed, higher is more anomalous.
        second: ``(T, N)`` float scores of the other, of the same images in the same order.
        confidence: Of the interval, in (0, 1).
        resamples: Number of resamples R; the smallest p-value is ``2 / (R + 1)``.
        seed: Of the draws; the same seed gives the same result.

    Returns:
        The difference of the means over seeds, first − second, and its p-value.

    Raises:
        ValueError: If one label is missing, the shapes do not fit, a score is NaN or infinite, or
            ``confidence`` is not in (0, 1).

    Example:
        >>> labels = [0] * 20 + [1] * 20
        >>> good, chance = [[*range(40)]], [[*range(20), *range(20)]]
        >>> bootstrap_test(labels, good, chance).difference.estimate
        0.5
    """
    rng, values, resampled = np.random.default_rng(seed), [], []
    copies: NDArray[np.int64] | None = None
    for scores in (first, second):
        label, score = labelled_scores(labels, scores, ndim=2)
        if copies is None:
            copies = image_copies(label, resamples, rng)
        values.append(np.mean([auroc_of(roc_counts(label, row)) for row in score]))
        shares = seed_shares(len(score), resamples, rng)
        resampled.append(resampled_means(label, score, auroc_of, copies, shares))
    differences = resampled[0] - resampled[1]
    interval = percentile_interval(float(values[0] - values[1]), differences, confidence)
    # Sums of five AUROCs in another order differ by rounding; equal ones must count as equal.
    rarer = min(np.sum(differences <= _ROUNDING), np.sum(differences >= -_ROUNDING))
    return PairedResult(interval, min(1.0, float(2 * (rarer + 1) / (resamples + 1))))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust the p-values of a family of tests, so that any false finding in it is rare.

    Holm's step-down method: the i-th smallest of m (i from 0) is multiplied by m − i, and is at
    least the one before it. It needs no independence, and rejects whatever Bonferroni rejects.

    Args:
        p_values: ``(m,)`` float in [0, 1]: all tests that were made, not those that look well.

    Returns:
        ``(m,)`` float64 in [0, 1], in the same order: compare them with the level, such as 0.05.

    Raises:
        ValueError: If there is none, or one is not in [0, 1].

    Example:
        >>> holm([0.01, 0.04, 0.03])
        array([0.03, 0.06, 0.06])
    """
    values = finite(p_values, "p-values")
    if values.ndim != 1 or len(values) == 0 or values.min() < 0 or values.max() > 1:
        msg = f"expected p-values (m,) in [0, 1], got {values.tolist()}"
        raise ValueError(msg)
    # statsmodels has it, too, but collects garbage at each call: beside torch half a second.
    order, adjusted = np.argsort(values), np.empty(len(values))
    factors = np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * factors))
    return adjusted
