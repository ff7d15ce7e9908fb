# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores to count, and the slow way to count them."""

import numpy as np
from numpy.typing import NDArray

Labelled = tuple[NDArray[np.int64], NDArray[np.float64]]


def random_scores(seed: int, good: int = 40, anomalous: int = 30, levels: int = 0) -> Labelled:
    """Normal scores, the anomalous ones 1 higher; ``levels`` of them only, for ties."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat([0, 1], [good, anomalous]))
    scores = rng.normal(size=len(labels)) + labels
    return labels, np.round(scores * levels / 4) if levels else scores


CASES = {
    "continuous": random_scores(0),
    "many ties": random_scores(1, levels=4),
    "few anomalous": random_scores(2, good=50, anomalous=2),
    "constant": (np.array([0, 1, 1, 0, 1]), np.zeros(5)),
    "perfect": (np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0])),
    "inverted": (np.array([1, 1, 0, 0]), np.array([1.0, 2.0, 3.0, 4.0])),
    "equally good thresholds": (np.array([1, 0, 0, 1]), np.array([4.0, 3.0, 2.0, 1.0])),
    "huge range": (np.array([0, 1, 0, 1]), np.array([-1e300, 1e-300, 0.0, 1e300])),
}


def pairwise_auroc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Share of the pairs of an anomalous and a good image that are in order; ties are halves."""
    anomalous, good = scores[labels == 1], scores[labels == 0]
    return float(np.mean(np.sign(anomalous[:, None] - good) + 1) / 2)
