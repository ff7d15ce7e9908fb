# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How well image scores separate good from anomalous images, at no particular threshold.

All of it depends on the order of the scores alone: any rising function of a score gives the same.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anogan_plugin.statistics.checks import labelled_scores
from anogan_plugin.statistics.roc import RocCounts, roc_counts

RankMetric = Callable[[RocCounts], Any]
"""From counts ``(..., T + 1)`` to values ``(...)``, float64."""

_TRUE_POSITIVE_RATE = 0.95


def image_auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: the chance that an anomalous image scores above a good one.

    ``AUROC = P(s₁ > s₀) + P(s₁ = s₀) / 2`` over all pairs of an anomalous and a good image.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        In [0, 1]; 0.5 for chance and for constant scores.

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> image_auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    return float(auroc_of(roc_counts(*labelled_scores(labels, scores))))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the precision-recall curve, in steps: ``AP = Σ (Rₙ − Rₙ₋₁) Pₙ``.

    Steps, not trapezoids: between two points of the curve precision does not run in a straight
    line, and trapezoids promise too much (Davis and Goadrich 2006).

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        In (0, 1]; constant scores give the share of anomalous images, so the value of one test
        set cannot be compared with that of a set with another share.

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
        0.8333
    """
    return float(average_precision_of(roc_counts(*labelled_scores(labels, scores))))


def f1_max(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """The best F1 over all thresholds, ``F1 = 2 TP / (2 TP + FP + FN)``, and where it is.

    The threshold is chosen on the test set itself: a bound on what a threshold can reach, not
    what a factory would see. :mod:`~anogan_plugin.statistics.inspection` has that.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        F1 in (0, 1], and the threshold: images with score ≥ threshold count as anomalous, as in
        scikit-learn and anomalib. Of equally good thresholds it is the lowest.

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> f1_max([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        (0.8, 0.35)
    """
    counts = roc_counts(*labelled_scores(labels, scores))
    f1 = _f1(counts)[1:]
    lowest = len(f1) - 1 - int(np.argmax(f1[::-1]))
    return float(f1[lowest]), float(counts.thresholds[lowest])


def fpr_at_95_tpr(labels: ArrayLike, scores: ArrayLike) -> float:
    """Share of good images rejected when at least 95 % of the anomalous ones are.

    The highest threshold that finds at least 95 % is taken, without interpolation.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        In [0, 1], lower is better; 1 for constant scores.

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> fpr_at_95_tpr([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.5
    """
    return float(fpr_at_95_tpr_of(roc_counts(*labelled_scores(labels, scores))))


def detection_metrics(labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """All of this module at once.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        Each metric of :data:`RANK_METRICS` by name, and ``f1_max_threshold`` in units of score.

    Raises:
        ValueError: If one label is missing, the lengths differ, or a score is NaN or infinite.

    Example:
        >>> metrics = detection_metrics([0, 0, 1, 1], [1, 2, 3, 4])
        >>> metrics["auroc"], metrics["f1_max_threshold"]
        (1.0, 3.0)
    """
    counts = roc_counts(*labelled_scores(labels, scores))
    values = {name: float(metric(counts)) for name, metric in RANK_METRICS.items()}
    return values | {"f1_max_threshold": f1_max(labels, scores)[1]}


def auroc_of(counts: RocCounts) -> NDArray[np.float64]:
    """:func:`image_auroc` of counts ``(..., T + 1)``.

    Args:
        counts: From :func:`~anogan_plugin.statistics.roc.roc_counts`.

    Returns:
        ``(...)`` in [0, 1].

    Example:
        >>> float(auroc_of(roc_counts(np.array([False, True]), np.array([1.0, 1.0]))))
        0.5
    """
    good, hits = counts.false_alarms, counts.hits
    twice_pairs = (np.diff(good) * (hits[..., 1:] + hits[..., :-1])).sum(-1)
    return twice_pairs / (2 * good[..., -1] * hits[..., -1])


def average_precision_of(counts: RocCounts) -> NDArray[np.float64]:
    """:func:`average_precision` of counts ``(..., T + 1)``.

    Args:
        counts: From :func:`~anogan_plugin.statistics.roc.roc_counts`.

    Returns:
        ``(...)`` in (0, 1].

    Example:
        >>> float(average_precision_of(roc_counts(np.array([False, True]), np.array([1.0, 1.0]))))
        0.5
    """
    hits = counts.hits[..., 1:]
    rejected = hits + counts.false_alarms[..., 1:]
    # A resample may leave out the images with the highest scores: no image, and no step either.
    precision = hits / np.maximum(rejected, 1)
    return (np.diff(counts.hits) * precision).sum(-1) / hits[..., -1]


def f1_max_of(counts: RocCounts) -> NDArray[np.float64]:
    """The F1 of :func:`f1_max`, of counts ``(..., T + 1)``.

    Args:
        counts: From :func:`~anogan_plugin.statistics.roc.roc_counts`.

    Returns:
        ``(...)`` in (0, 1].

    Example:
        >>> float(f1_max_of(roc_counts(np.array([False, True]), np.array([1.0, 2.0]))))
        1.0
    """
    return _f1(counts).max(-1)


def fpr_at_95_tpr_of(counts: RocCounts) -> NDArray[np.float64]:
    """:func:`fpr_at_95_tpr` of counts ``(..., T + 1)``.

    Args:
        counts: From :func:`~anogan_plugin.statistics.roc.roc_counts`.

    Returns:
        ``(...)`` in [0, 1].

    Example:
        >>> float(fpr_at_95_tpr_of(roc_counts(np.array([False, True]), np.array([1.0, 2.0]))))
        0.0
    """
    enough = np.ceil(_TRUE_POSITIVE_RATE * counts.hits[..., -1:])
    first = np.argmax(counts.hits >= enough, axis=-1, keepdims=True)
    false_alarms = np.take_along_axis(counts.false_alarms, first, axis=-1)[..., 0]
    return false_alarms / counts.false_alarms[..., -1]


def _f1(counts: RocCounts) -> NDArray[np.float64]:
    anomalous = counts.hits[..., -1:]
    return 2 * counts.hits / (counts.hits + counts.false_alarms + anomalous)


RANK_METRICS: dict[str, RankMetric] = {
    "auroc": auroc_of,
    "aupr": average_precision_of,
    "f1_max": f1_max_of,
    "fpr_at_95_tpr": fpr_at_95_tpr_of,
}
"""The metrics of this module by name; higher is better except for the last."""
