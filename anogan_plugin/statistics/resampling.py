# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Bootstrap resamples of seeds and images together."""

import numpy as np
from numpy.typing import NDArray

from anogan_plugin.statistics.detection import RankMetric
from anogan_plugin.statistics.roc import roc_counts

_AT_ONCE = 200  # resamples; a few MiB of counts for 2,000 images


def image_copies(
    labels: NDArray[np.bool_], resamples: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw images with replacement, the good and the anomalous ones separately.

    Args:
        labels: ``(N,)`` bool, True for anomalous.
        resamples: Number of resamples R.
        rng: Where the draws come from.

    Returns:
        ``(R, N)`` int64, how many times each image is in each resample: every resample has as
        many images of either label as the test set.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> image_copies(np.array([False, True]), 2, rng)
        array([[1, 1],
               [1, 1]])
    """
    copies = np.empty((resamples, len(labels)), np.int64)
    for label in (False, True):
        mine = np.flatnonzero(labels == label)
        # Four times as fast as rng.multinomial for thousands of images.
        for row in copies:
            draws = rng.integers(len(mine), size=len(mine), dtype=np.int32)
            row[mine] = np.bincount(draws, minlength=len(mine))
    return copies


def seed_shares(seeds: int, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw S − 1 of S seeds with replacement.

    One fewer than there are: the mean of S draws varies (S − 1) / S times too little, and that is
    a lot for five seeds (Rao and Wu 1988). A single seed is always drawn.

    Args:
        seeds: Number of seeds S.
        resamples: Number of resamples R.
        rng: Where the draws come from.

    Returns:
        ``(R, S)`` float64, the share that each seed has of each resample; rows sum to 1.

    Example:
        >>> seed_shares(1, 2, np.random.default_rng(0))
        array([[1.],
               [1.]])
    """
    draws = max(seeds - 1, 1)
    return rng.multinomial(draws, np.full(seeds, 1 / seeds), resamples) / draws


def resampled_means(
    labels: NDArray[np.bool_],
    scores: NDArray[np.float64],
    metric: RankMetric,
    copies: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean over seeds of a metric, in every resample.

    Args:
        labels: ``(N,)`` bool, True for anomalous.
        scores: ``(S, N)`` float64, finite.
        metric: A metric of :data:`~anogan_plugin.statistics.detection.RANK_METRICS`.
        copies: ``(R, N)``, from :func:`image_copies`: all seeds are tested on the same images.
        shares: ``(R, S)``, from :func:`seed_shares`.

    Returns:
        ``(R,)`` float64.

    Example:
        >>> from anogan_plugin.statistics.detection import auroc_of
        >>> labels, scores = np.array([False, True]), np.array([[1.0, 2.0], [2.0, 1.0]])
        >>> ones = np.ones((1, 2), int)
        >>> resampled_means(labels, scores, auroc_of, ones, np.array([[0.75, 0.25]]))
        array([0.75])
    """
    means = np.zeros(len(copies))
    for start in range(0, len(copies), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        for seed, row in enumerate(scores):
            means[part] += shares[part, seed] * metric(roc_counts(labels, row, copies[part]))
    return means
