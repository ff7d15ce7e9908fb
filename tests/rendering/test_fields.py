# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Fields: distances by hand, noise by its statistics, regions by their size."""

import numpy as np
import pytest

from anogan_plugin.rendering.fields import (
    bounding_box,
    depth,
    lowest,
    rounded_rectangle,
    smooth_noise,
)
from anogan_plugin.rendering.layer import exact_mask


@pytest.mark.parametrize("cell", [2.0, 3.7, 12.0])
def test_noise_has_unit_variance_and_ends_at_its_band(cell: float) -> None:
    fields = [smooth_noise(np.random.default_rng(seed), (96, 96), cell) for seed in range(60)]
    assert np.mean(fields) == pytest.approx(0, abs=0.1)
    assert np.mean(np.square(fields)) == pytest.approx(1, rel=0.1)
    power = np.mean([np.abs(np.fft.rfft2(field * np.hanning(96))) ** 2 for field in fields], 0)
    frequency = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.rfftfreq(96)[None, :])
    assert power[frequency > 1.5 / cell].sum() < 0.02 * power.sum()


def test_lowest_takes_exactly_the_area_even_among_ties() -> None:
    field = np.array([[3, 1, 1], [1, 0, 9]], np.float32)
    within = np.array([[True, True, True], [True, False, True]])
    expected = np.array([[False, True, True], [False, False, False]])
    np.testing.assert_array_equal(lowest(field, 2.2, within), expected)
    assert lowest(field, 0.1, within).sum() == 1
    np.testing.assert_array_equal(lowest(field, 99, within), within)


def test_exact_mask_covers_the_area_with_the_most_covered_pixels() -> None:
    coverage = np.array([[0.9, 0.6, 0.1], [0.5, 0.0, 0.0]], np.float32)  # 2.1 in all
    expected = np.array([[255, 255, 0], [0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(exact_mask(coverage), expected)
    assert np.count_nonzero(exact_mask(0.1 * coverage)) == 1


def test_rounded_rectangle_by_hand() -> None:
    x = np.array([0, 5, 8, 5, 5 + 3 / np.sqrt(2)], np.float32)
    y = np.array([0, 0, 0, 3, 3 + 3 / np.sqrt(2)], np.float32)
    # 10 by 6 with radius 2; the last points are the sharp corner and one beyond it.
    corner = np.hypot(2, 2) - 2
    distance = rounded_rectangle(x, y, 10, 6, 2)
    np.testing.assert_allclose(distance, [-3, 0, 3, corner, corner + 3], atol=1e-5)


def test_depth_and_box_by_hand() -> None:
    region = np.zeros((6, 9), bool)
    region[1:4, 2:8] = True
    assert depth(region)[2, 4] == pytest.approx(2)
    assert depth(region)[0, 0] == 0
    assert bounding_box(region) == (slice(1, 4), slice(2, 8))
