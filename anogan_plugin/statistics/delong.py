# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How much an AUROC varies over test images (DeLong, DeLong and Clarke-Pearson 1988)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from anogan_plugin.statistics.checks import labelled_scores


class Placements(NamedTuple):
    """Where each image stands among those of the other label; the mean of either is the AUROC.

    Attributes:
        below: ``(m,)`` float64, per anomalous image the share of good ones below it.
        above: ``(n,)`` float64, per good image the share of anomalous ones above it.
    """

    below: NDArray[np.float64]
    above: NDArray[np.float64]

    def variance(self) -> float:
        """Variance of their mean over images, ``s²(below) / m + s²(above) / n``.

        Example:
            >>> placements([0, 0, 1, 1], [1, 3, 2, 4]).variance()
            0.125
        """
        of_anomalous = np.var(self.below, ddof=1) / len(self.below)
        return float(of_anomalous + np.var(self.above, ddof=1) / len(self.above))


def placements(labels: ArrayLike, scores: ArrayLike) -> Placements:
    """Place each image of a test set, by midranks (Sun and Xu 2014); equal scores count a half.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        The placements, in the order of the images of either label.

    Raises:
        ValueError: If there are fewer than two images of a label, the lengths differ, or a score
            is NaN or infinite.

    Example:
        >>> placements([0, 0, 1, 1], [1, 3, 2, 4])
        Placements(below=array([0.5, 1. ]), above=array([1. , 0.5]))
    """
    label, score = labelled_scores(labels, scores)
    anomalous = int(np.count_nonzero(label))
    good = len(label) - anomalous
    if min(anomalous, good) < 2:
        msg = f"expected two images of either label, got {good} good and {anomalous} anomalous"
        raise ValueError(msg)
    ranks = rankdata(score)
    below = (ranks[label] - rankdata(score[label])) / good
    above = 1 - (ranks[~label] - rankdata(score[~label])) / anomalous
    return Placements(below, above)


def delong_variance(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """AUROC of one trained model, and its variance over images.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, higher is more anomalous.

    Returns:
        The AUROC in [0, 1] and its variance. That is 0 for a model that separates the labels
        perfectly and for one that gives every image the same score: neither is certain.

    Raises:
        ValueError: If there are fewer than two images of a label, the lengths differ, or a score
            is NaN or infinite.

    Example:
        >>> delong_variance([0, 0, 1, 1], [1, 3, 2, 4])
        (0.75, 0.125)
    """
    placed = placements(labels, scores)
    return float(placed.below.mean()), placed.variance()
