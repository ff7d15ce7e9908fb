# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Curves over seeds on a common axis, and the front of what nothing else beats."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import precision_recall_curve, roc_curve

_POINTS = 200
Array = NDArray[np.float64]
Band = tuple[Array, Array, Array, Array]
"""Where, the mean over seeds, the lowest and the highest seed."""


def roc_curves(labels: NDArray[np.int64], scores: Array) -> Band:
    """True positive rate against false positive rate.

    Args:
        labels: ``(N,)`` 0 good, 1 anomalous.
        scores: ``(S, N)``, a row per seed; higher is more anomalous.

    Returns:
        The band, at false positive rates from 0 to 1.
    """
    where = np.linspace(0, 1, _POINTS)
    return _band(where, [_true_at(where, labels, seed) for seed in scores])


def det_curves(labels: NDArray[np.int64], scores: Array) -> Band:
    """False negative rate against false positive rate, both as normal deviates (Martin 1997).

    Args:
        labels: ``(N,)`` 0 good, 1 anomalous.
        scores: ``(S, N)``, a row per seed.

    Returns:
        The band, in normal deviates. Rates are kept from 0 and 1 by half an image.
    """
    deviates = np.linspace(float(norm.ppf(0.0008)), float(norm.ppf(0.97)), _POINTS)
    half = 0.5 / int(labels.sum())
    missed = [1 - _true_at(norm.cdf(deviates), labels, seed) for seed in scores]
    return _band(deviates, [norm.ppf(each.clip(half, 1 - half)) for each in missed])


def pr_curves(labels: NDArray[np.int64], scores: Array) -> Band:
    """Precision against recall.

    Args:
        labels: ``(N,)`` 0 good, 1 anomalous.
        scores: ``(S, N)``, a row per seed.

    Returns:
        The band, at recalls from 0 to 1.
    """
    where = np.linspace(0, 1, _POINTS)
    curves = []
    for seed in scores:
        precision, recall, _ = precision_recall_curve(labels, seed)
        # Between two points the next one's precision is reached; recall falls along the curve.
        rising = np.searchsorted(recall[::-1], where)
        curves.append(precision[::-1][rising.clip(0, len(precision) - 1)])
    return _band(where, curves)


def pareto_front(cost: Array, gain: Array) -> list[int]:
    """What nothing else is both at most as dear as and better than.

    Args:
        cost: ``(N,)``, lower is better.
        gain: ``(N,)``, higher is better.

    Returns:
        Positions, by rising cost.

    Example:
        >>> pareto_front(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.9]))
        [0, 2]
    """
    front: list[int] = []
    best = -np.inf
    for index in np.lexsort((-gain, cost)):
        if gain[index] > best:
            front.append(int(index))
            best = gain[index]
    return front


def _true_at(where: Array, labels: NDArray[np.int64], scores: Array) -> Array:
    false, true, _ = roc_curve(labels, scores)
    return np.interp(where, false, true)


def _band(where: Array, curves: list[Array]) -> Band:
    stacked = np.stack(curves)
    return where, stacked.mean(0), stacked.min(0), stacked.max(0)
