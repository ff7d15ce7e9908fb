# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How well anomaly maps find the anomalous pixels.

Exact, from two sorted arrays: no curve is stored and no score is put into a bin. The good pixels
are sorted once, and every anomalous pixel then looks up how many of them lie above it. The memory
needed is about that of the maps again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from anogan_plugin.statistics.checks import share

_EIGHT_CONNECTED = np.ones((3, 3))


class PixelScores(NamedTuple):
    """The pixels of a test set, as its metrics need them.

    Attributes:
        good: ``(G,)`` float32, scores of good pixels, rising.
        anomalous: ``(A,)`` float32, scores of anomalous pixels, rising.
        weights: ``(A,)`` float64, beside ``anomalous``: 1 / size of the pixel's region.
        regions: Number of connected anomalous regions.
    """

    good: NDArray[np.float32]
    anomalous: NDArray[np.float32]
    weights: NDArray[np.float64]
    regions: int


def pixel_metrics(
    maps: NDArray[np.floating], masks: NDArray[np.bool_], fpr_limit: float = 0.3
) -> dict[str, float]:
    """All of this module at once.

    Args:
        maps: ``(N, H, W)`` float32, higher is more anomalous.
        masks: ``(N, H, W)`` bool, True for anomalous pixels (the positive class).
        fpr_limit: Of :func:`aupro`.

    Returns:
        ``auroc``, ``aupro`` and ``f1_max``, each in [0, 1].

    Raises:
        ValueError: As :func:`pixel_scores` and :func:`aupro` do.

    Example:
        >>> masks = np.zeros((1, 4, 4), bool)
        >>> masks[0, :2, :2] = True
        >>> pixel_metrics(masks.astype(np.float32), masks)
        {'auroc': 1.0, 'aupro': 1.0, 'f1_max': 1.0}
    """
    pixels = pixel_scores(maps, masks)
    return {
        "auroc": pixel_auroc(pixels),
        "aupro": aupro(pixels, fpr_limit),
        "f1_max": pixel_f1_max(pixels),
    }


def pixel_scores(maps: NDArray[np.floating], masks: NDArray[np.bool_]) -> PixelScores:
    """Sort the pixels of a test set and find its anomalous regions.

    Pixels of one mask that touch, also at a corner, are one region: 8-connected, as in anomalib.

    Args:
        maps: ``(N, H, W)`` float32, higher is more anomalous, any finite range.
        masks: ``(N, H, W)`` bool, True for anomalous pixels (the positive class).

    Returns:
        The pixels, pooled over all images.

    Raises:
        ValueError: If the shapes differ, the masks are not bool, there are no anomalous or no
            good pixels, or a pixel of a map is NaN or infinite.

    Example:
        >>> masks = np.array([[[True, False], [False, True]]])
        >>> pixel_scores(np.arange(4, dtype=np.float32).reshape(1, 2, 2), masks)[0]
        array([1., 2.], dtype=float32)
    """
    maps = np.asarray(maps, np.float32)
    if maps.ndim != 3 or maps.shape != masks.shape or masks.dtype != bool:
        msg = (
            "expected maps (N, H, W) and bool masks of the same shape, got "
            f"{maps.shape} and {masks.dtype} {masks.shape}"
        )
        raise ValueError(msg)
    bad = maps.size - int(np.count_nonzero(np.isfinite(maps)))
    if bad:
        msg = f"{bad} of {maps.size} map pixels are NaN or infinite: train the model again"
        raise ValueError(msg)
    anomalous = int(np.count_nonzero(masks))
    if anomalous in (0, masks.size):
        msg = (
            f"expected good and anomalous pixels, got {masks.size - anomalous} and {anomalous}: "
            "test on images of both kinds, with masks"
        )
        raise ValueError(msg)
    good = maps[~masks]
    good.sort()
    scores, weights, regions = _regions(maps, masks)
    order = np.argsort(scores, kind="stable")
    return PixelScores(good, scores[order], weights[order], regions)


def pixel_auroc(pixels: PixelScores) -> float:
    """Area under the ROC curve over all pixels of all images, good images included.

    Args:
        pixels: From :func:`pixel_scores`.

    Returns:
        In [0, 1], 0.5 for chance. Large anomalies count for more than small ones.

    Example:
        >>> pixel_auroc(pixel_scores(np.zeros((1, 1, 2)), np.array([[[True, False]]])))
        0.5
    """
    above, not_below = _good_above(pixels)
    twice_wrong_pairs = int(above.sum()) + int(not_below.sum())
    return 1 - twice_wrong_pairs / (2 * len(pixels.good) * len(pixels.anomalous))


def aupro(pixels: PixelScores, fpr_limit: float = 0.3) -> float:
    """Area under the per-region-overlap curve up to a false positive rate, divided by that rate.

    The curve is ``PRO(t)``, the mean over the anomalous regions of the share of each that scores
    at least t, against ``FPR(t)``, the share of good pixels that do; straight lines connect the
    thresholds (Bergmann et al. 2020). Every region counts the same, however small.

    A pixel of a region of n pixels adds 1 / (n · regions) to PRO, from the FPR of its threshold
    on. The area is the sum of what each pixel adds over the rest of the way to the limit; where
    good pixels have the same score, its contribution rises along a straight line.

    Args:
        pixels: From :func:`pixel_scores`.
        fpr_limit: False positive rate at which the integration ends, in (0, 1); 0.3 in
            the literature.

    Returns:
        In [0, 1]; 0.15 for random maps at the limit 0.3.

    Raises:
        ValueError: If ``fpr_limit`` is not in (0, 1).

    Example:
        >>> masks = np.array([[[True, False, False, False, False]]])
        >>> maps = np.array([[[0.8, 0.9, 0.1, 0.2, 0.3]]])
        >>> round(aupro(pixel_scores(maps, masks)), 4)  # from FPR 0.25 to 0.3
        0.1667
    """
    limit = share(fpr_limit, "fpr_limit")
    above, not_below = _good_above(pixels)
    start, end = above / len(pixels.good), not_below / len(pixels.good)
    # Area right of the ramp from `start` to `end`, and the part of the ramp left of the limit.
    after = np.clip(limit - end, 0, None)
    ramp = np.clip(limit - start, 0, end - start)
    with np.errstate(invalid="ignore"):  # 0 / 0 where the ramp is a step
        on_ramp = np.where(end > start, ramp**2 / (2 * (end - start)), 0)
    return float(pixels.weights @ (after + on_ramp)) / (pixels.regions * limit)


def pixel_f1_max(pixels: PixelScores) -> float:
    """The best F1 over all thresholds on the pixels of all images.

    Args:
        pixels: From :func:`pixel_scores`.

    Returns:
        In (0, 1]. The threshold has seen the test masks: a bound on what a threshold can reach.

    Example:
        >>> masks = np.array([[[True, True, False, False]]])
        >>> pixel_f1_max(pixel_scores(np.array([[[0.9, 0.3, 0.1, 0.5]]]), masks))
        0.8
    """
    # The best threshold is the score of an anomalous pixel: down to it, hits are only gained.
    _, false_alarms = _good_above(pixels)
    total = len(pixels.anomalous)
    hits = total - np.searchsorted(pixels.anomalous, pixels.anomalous, side="left")
    return float((2 * hits / (hits + false_alarms + total)).max())


def _good_above(pixels: PixelScores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per anomalous pixel the good ones that score above it, and those at least as high."""
    above = len(pixels.good) - np.searchsorted(pixels.good, pixels.anomalous, side="right")
    not_below = len(pixels.good) - np.searchsorted(pixels.good, pixels.anomalous, side="left")
    return above, not_below


def _regions(
    maps: NDArray[np.float32], masks: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
    """Scores of the anomalous pixels, 1 / size of the region of each, and the region count."""
    scores, weights, regions = [], [], 0
    for anomaly_map, mask in zip(maps, masks, strict=True):
        if not mask.any():
            continue
        labelled, count = ndimage.label(mask, _EIGHT_CONNECTED)
        region = labelled[mask]
        scores.append(anomaly_map[mask])
        weights.append(1 / np.bincount(region)[region])
        regions += count
    return np.concatenate(scores), np.concatenate(weights), regions
