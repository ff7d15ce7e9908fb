# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pixel metrics against anomalib, scikit-learn and a curve drawn by hand."""

import time

import numpy as np
import pytest
import torch
from anomalib.metrics.aupro import _AUPRO
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from sklearn.metrics import precision_recall_curve, roc_auc_score

from anogan_plugin.statistics.pixels import (
    aupro,
    pixel_auroc,
    pixel_f1_max,
    pixel_metrics,
    pixel_scores,
)

Pixels = tuple[NDArray[np.float32], NDArray[np.bool_]]


def random_pixels(seed: int, levels: int = 0, images: int = 6, size: int = 24) -> Pixels:
    """Maps with rectangles that overlap, touch at corners or stay apart; two images are good."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((images, size, size), bool)
    for mask in masks[2:]:
        for _ in range(4):
            y, x, height, width = rng.integers(1, size // 2, 4)
            mask[y : y + height, x : x + width] = True
    maps = rng.normal(size=masks.shape) + masks
    return (np.round(maps * levels / 4) if levels else maps).astype(np.float32), masks


def curve_area(maps: NDArray[np.float32], masks: NDArray[np.bool_], limit: float) -> float:
    """AU-PRO from the whole curve, with regions grown pixel by pixel."""
    regions: list[list[tuple[int, int, int]]] = []
    left = {(int(n), int(y), int(x)) for n, y, x in np.argwhere(masks)}
    while left:
        todo = [left.pop()]
        region = []
        while todo:
            n, y, x = todo.pop()
            region.append((n, y, x))
            near = {(n, y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            todo += near
        regions.append(region)
    rates, overlaps = [0.0], [0.0]
    for threshold in np.unique(maps)[::-1]:
        above = maps >= threshold
        rates.append(above[~masks].mean())
        overlaps.append(float(np.mean([np.mean([above[pixel] for pixel in r]) for r in regions])))
    inside = np.array(rates) < limit
    x_axis = np.append(np.array(rates)[inside], limit)
    y_axis = np.append(np.array(overlaps)[inside], np.interp(limit, rates, overlaps))
    return float(trapezoid(y_axis, x_axis)) / limit


@pytest.mark.parametrize("levels", [0, 3, 30])
@pytest.mark.parametrize("limit", [0.05, 0.3, 0.9])
def test_aupro_is_the_area_under_its_curve(levels: int, limit: float) -> None:
    maps, masks = random_pixels(0, levels)
    assert aupro(pixel_scores(maps, masks), limit) == pytest.approx(
        curve_area(maps, masks, limit), abs=1e-9
    )


@pytest.mark.parametrize("levels", [0, 3, 30])
@pytest.mark.parametrize("seed", range(3))
def test_aupro_is_that_of_anomalib(seed: int, levels: int) -> None:
    maps, masks = random_pixels(seed, levels)
    metric = _AUPRO(fpr_limit=0.3)
    metric.update(torch.from_numpy(maps), torch.from_numpy(masks).int())
    # anomalib sums in float32.
    assert aupro(pixel_scores(maps, masks)) == pytest.approx(float(metric.compute()), abs=2e-5)


@pytest.mark.parametrize("levels", [0, 3])
def test_pooled_pixels_as_scikit_learn_has_them(levels: int) -> None:
    maps, masks = random_pixels(1, levels)
    pixels = pixel_scores(maps, masks)
    assert pixel_auroc(pixels) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))
    precision, recall, _ = precision_recall_curve(masks.ravel(), maps.ravel())
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert pixel_f1_max(pixels) == pytest.approx(f1.max())


def test_regions_touch_at_corners_and_end_at_the_image() -> None:
    masks = np.zeros((2, 5, 5), bool)
    masks[0, 0, 0] = masks[0, 1, 1] = masks[0, 4, 4] = True
    masks[1, 4, 4] = True
    pixels = pixel_scores(np.zeros((2, 5, 5)), masks)
    assert pixels.regions == 3
    assert sorted(pixels.weights) == [0.5, 0.5, 1, 1]


def test_small_regions_count_as_much_as_large_ones() -> None:
    masks = np.zeros((1, 10, 10), bool)
    masks[0, :5, :] = True
    masks[0, 9, 9] = True
    found = masks.astype(np.float32)
    found[0, 9, 9] = -1.0
    metrics = pixel_metrics(found, masks)
    assert metrics["aupro"] == pytest.approx(0.5)  # one of two regions
    assert metrics["auroc"] == pytest.approx(50 / 51)  # 50 of 51 pixels
    assert metrics["f1_max"] == pytest.approx(100 / 101)


def test_constant_maps_are_chance() -> None:
    masks = random_pixels(0)[1]
    metrics = pixel_metrics(np.ones(masks.shape), masks)
    assert metrics["auroc"] == 0.5
    assert metrics["aupro"] == pytest.approx(0.15)
    assert metrics["f1_max"] == pytest.approx(2 * masks.mean() / (1 + masks.mean()))


def test_bad_maps_and_masks_are_refused() -> None:
    maps, masks = random_pixels(0)
    broken = maps.copy()
    broken[0, :2, 0] = np.nan, np.inf
    with pytest.raises(ValueError, match=f"2 of {maps.size} map pixels are NaN or infinite"):
        pixel_metrics(broken, masks)
    with pytest.raises(ValueError, match="got 3456 and 0: test on images of both kinds"):
        pixel_metrics(maps, np.zeros_like(masks))
    with pytest.raises(ValueError, match="got 0 and 3456"):
        pixel_metrics(maps, np.ones_like(masks))
    with pytest.raises(ValueError, match=r"bool masks of the same shape, got .* int64"):
        pixel_metrics(maps, masks.astype(np.int64))
    with pytest.raises(ValueError, match=r"expected maps \(N, H, W\)"):
        pixel_metrics(maps[0], masks[0])
    with pytest.raises(ValueError, match="fpr_limit must be between 0 and 1"):
        pixel_metrics(maps, masks, fpr_limit=30)


def test_many_maps_are_quick() -> None:
    maps, masks = random_pixels(0, images=200, size=128)
    start = time.perf_counter()
    pixel_metrics(maps, masks)
    assert time.perf_counter() - start < 6  # a tenth of 2,000 maps in a minute; 0.3 s here
