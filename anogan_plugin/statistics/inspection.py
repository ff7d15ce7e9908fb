# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a factory counts: good parts thrown away (overkill) and bad parts let through (escape).

An image is rejected when its score is above the threshold; one at the threshold passes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from anogan_plugin.statistics.checks import finite, labelled_scores, share

_ROUNDING = 1e-9  # 100 x 0.07 is 7.000000000000001 in floating point


@dataclass(frozen=True)
class Share:
    """A count out of a total, with its Clopper-Pearson interval.

    Attributes:
        count: Images counted.
        total: Images that could have been.
        low: Lower end of the interval, in [0, 1].
        high: Upper end.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share itself, ``count / total``, in [0, 1]."""
        return self.count / self.total


@dataclass(frozen=True)
class Inspection:
    """What a threshold does to a test set.

    Attributes:
        threshold: Score above which an image is rejected.
        overkill: Good images rejected, of all good ones.
        escape: Anomalous images passed, of all anomalous ones.
    """

    threshold: float
    overkill: Share
    escape: Share


def held_out_images_needed(overkill: float) -> int:
    """How many good images must be held out before an overkill can be kept at all.

    n held-out scores and a new one fall into any order equally likely, so the new one is above
    all of them with probability ``1 / (n + 1)``: no threshold among them promises less.

    Args:
        overkill: Share of good parts that may be rejected, in (0, 1).

    Returns:
        The smallest n with ``1 / (n + 1) ≤ overkill``.

    Raises:
        ValueError: If ``overkill`` is not in (0, 1).

    Example:
        >>> held_out_images_needed(0.01)
        99
    """
    return math.ceil(1 / share(overkill, "overkill") - 1 - _ROUNDING)


def held_out_threshold(held_out_scores: ArrayLike, overkill: float) -> float:
    """The threshold that rejects at most a stated share of new good parts.

    The ``⌈(n + 1)(1 − overkill)⌉``-th smallest of n held-out scores (split conformal prediction).
    A new good part scores above it with probability at most ``overkill``, for every n and every
    distribution, if it comes from the process that the held-out parts came from. That is the mean
    over sets of held-out parts; for one set the overkill varies about it, the more the smaller n.

    Args:
        held_out_scores: ``(n,)`` float, of good images that were neither trained on nor tested.
        overkill: Share of good parts that may be rejected, in (0, 1).

    Returns:
        One of the scores.

    Raises:
        ValueError: If n is smaller than :func:`held_out_images_needed`: the only threshold that
            keeps the promise would then be infinite, and would reject nothing. Or if a score is
            NaN or infinite, or ``overkill`` is not in (0, 1).

    Example:
        >>> held_out_threshold(range(1, 100), 0.05)
        95.0
    """
    scores = np.sort(finite(held_out_scores, "held-out scores"), axis=None)
    needed = held_out_images_needed(overkill)
    if len(scores) < needed:
        msg = (
            f"{len(scores)} held-out good images cannot promise an overkill of {overkill:g}: "
            f"hold out at least {needed}, or allow {1 / (len(scores) + 1):.2g} or more"
        )
        raise ValueError(msg)
    allowed = math.floor((len(scores) + 1) * overkill + _ROUNDING)
    return float(scores[len(scores) - allowed])


def inspect(
    labels: ArrayLike, scores: ArrayLike, threshold: float, confidence: float = 0.95
) -> Inspection:
    """Count overkill and escape of a test set at a threshold fixed beforehand.

    The intervals are exact (Clopper-Pearson): they cover at least ``confidence``, where Wilson's
    cover it on average. A share that an inspection must not exceed is the first kind of promise.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.
        threshold: From :func:`held_out_threshold`, finite.
        confidence: Of each two-sided interval, in (0, 1).

    Returns:
        Both shares with their intervals, which hold for this trained model.

    Raises:
        ValueError: If one label is missing, the lengths differ, a score or the threshold is NaN
            or infinite, or ``confidence`` is not in (0, 1).

    Example:
        >>> result = inspect([0, 0, 0, 0, 1, 1], [1, 2, 3, 4, 3, 9], 3.0)
        >>> result.overkill.rate, result.escape.rate
        (0.25, 0.5)
    """
    label, score = labelled_scores(labels, scores)
    finite(threshold, "thresholds")
    rejected = score > threshold
    overkill = _share(rejected[~label], confidence)
    return Inspection(float(threshold), overkill, _share(~rejected[label], confidence))


def overkill_at_zero_escape(labels: ArrayLike, scores: ArrayLike) -> float:
    """The least share of good test images rejected by a threshold that lets no anomaly through.

    That threshold is read off the test set, just below its lowest anomalous score: a bound on what
    the model could do, and one that a single odd image can move to 1.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        Share of the good images with score ≥ the lowest anomalous one, in [0, 1].

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> overkill_at_zero_escape([0, 0, 0, 0, 1, 1], [1, 2, 3, 4, 3, 9])
        0.5
    """
    label, score = labelled_scores(labels, scores)
    return float(np.mean(score[~label] >= score[label].min()))


def escape_at_overkill(labels: ArrayLike, scores: ArrayLike, overkill: float) -> float:
    """The least share of anomalies passed by a threshold within a stated overkill on the test set.

    Read off the test set's own ROC curve, at one of its points: where two scores are equal the
    overkill reached may be lower than the one allowed. Unlike the escape of :func:`inspect` it
    needs no held-out images, and it is optimistic, as the threshold has seen the test set.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.
        overkill: Share of the good test images that may be rejected, in (0, 1).

    Returns:
        In [0, 1].

    Raises:
        ValueError: If one label is missing, the lengths differ, a score is NaN or infinite, or
            ``overkill`` is not in (0, 1).

    Example:
        >>> escape_at_overkill([0, 0, 0, 0, 1, 1], [1, 2, 3, 4, 3, 9], 0.25)
        0.5
    """
    label, score = labelled_scores(labels, scores)
    good = np.sort(score[~label])
    allowed = math.floor(len(good) * share(overkill, "overkill") + _ROUNDING)
    return float(np.mean(score[label] <= good[len(good) - 1 - allowed]))


def _share(counted: np.ndarray, confidence: float) -> Share:
    count, total = int(np.count_nonzero(counted)), len(counted)
    share(confidence, "confidence")
    interval = binomtest(count, total).proportion_ci(confidence, method="exact")
    return Share(count, total, float(interval.low), float(interval.high))
