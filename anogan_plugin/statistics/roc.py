# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The ROC curve in counts, for one test set or for many resamples of it at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class RocCounts(NamedTuple):
    """How many images score at least a threshold, for all T distinct scores as thresholds.

    Entry 0 of the counts is a threshold above every score, with no image. The last is the lowest
    score, with all images.

    Attributes:
        thresholds: ``(T,)`` float64, the distinct scores, falling.
        false_alarms: ``(..., T + 1)`` int64, good images with score ≥ threshold, rising.
        hits: ``(..., T + 1)`` int64, anomalous images with score ≥ threshold, rising.
    """

    thresholds: NDArray[np.float64]
    false_alarms: NDArray[np.int64]
    hits: NDArray[np.int64]


def roc_counts(
    labels: NDArray[np.bool_],
    scores: NDArray[np.float64],
    copies: NDArray[np.int64] | None = None,
) -> RocCounts:
    """Count images above every threshold; equal scores share one threshold.

    Args:
        labels: ``(N,)`` bool, True for anomalous, checked.
        scores: ``(N,)`` float64, finite.
        copies: ``(..., N)`` int, how many times each image counts: a bootstrap resample per row.
            None counts every image once.

    Returns:
        The counts, with the leading dimensions of ``copies``.

    Example:
        >>> roc_counts(np.array([False, True, True]), np.array([1.0, 1.0, 2.0]))
        RocCounts(thresholds=array([2., 1.]), false_alarms=array([0, 0, 1]), hits=array([0, 1, 2]))
    """
    if copies is None:
        copies = np.ones(len(scores), np.int64)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    counts = []
    for label in (False, True):
        # A class alone: images of the other one in between only repeat a count.
        mine = labels[order] == label
        total = np.zeros((*copies.shape[:-1], np.count_nonzero(mine) + 1), np.int64)
        np.cumsum(copies[..., order[mine]], axis=-1, out=total[..., 1:])
        at_least = np.append(0, np.cumsum(mine)[last])
        counts.append(total[..., at_least])
    return RocCounts(falling[last], *counts)
