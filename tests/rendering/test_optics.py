# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The camera and the lamp against their own equations, worked apart."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from anogan_plugin.rendering import RenderConfig
from anogan_plugin.rendering.defects.canvas import relief
from anogan_plugin.rendering.optics import draw_shot, expose, lamp_direction, light
from anogan_plugin.rendering.product import build_product

STEADY = RenderConfig(gradient=0, gain_jitter=0, offset_jitter=0)


def test_sensor_noise_has_the_variance_of_the_data_card() -> None:
    config = STEADY
    product = build_product(config)
    level = np.full(product.body.shape, 0.4, np.float32)
    shots = [draw_shot(config, product, np.random.default_rng(seed)) for seed in range(20)]
    images = np.stack([expose(level, config, product, shot) for shot in shots])
    assert images.mean() == pytest.approx(0.4, abs=1e-4)
    assert images.var() == pytest.approx(0.4 / 12000 + 0.004**2, rel=0.03)


@pytest.mark.parametrize("size", [32, 64])
def test_a_spot_lands_where_the_pose_puts_it(size: int) -> None:
    config = replace(STEADY, size=size, read_noise=1e-6, full_well=1e12)
    product = build_product(config)
    shot = draw_shot(config, product, np.random.default_rng(1))
    middle, pixel = (product.body.shape[0] - 1) / 2, product.pixel
    canvas = np.zeros(product.body.shape, np.float32)
    x, y = 12.0, -7.0  # units of length from the middle
    row, column = round(middle + y * pixel), round(middle + x * pixel)
    canvas[row - 2 : row + 3, column - 2 : column + 3] = 1
    image = expose(canvas, config, product, shot)
    turn = np.deg2rad(shot.rotation)  # counter-clockwise on the screen, y down
    x, y = (column - middle) / pixel, (row - middle) / pixel
    expected = np.array([x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)])
    expected = (expected + shot.shift) * config.scale + (size - 1) / 2
    found_row, found_column = center_of_mass(np.where(image > 0.01, image, 0))
    assert (found_column, found_row) == pytest.approx(tuple(expected), abs=0.1)


def test_a_level_matt_surface_shows_its_reflectance() -> None:
    config = replace(STEADY, texture=0, lots=0)
    product = build_product(config)
    shot = draw_shot(config, product, np.random.default_rng(2))
    unmarked, marked = light(config, product, shot)
    middle = product.body.shape[0] // 2
    assert unmarked[middle, middle] == pytest.approx(config.resin, rel=1e-3)
    np.testing.assert_array_equal(unmarked, marked)


def test_the_rim_that_faces_the_lamp_is_brighter() -> None:
    config = replace(STEADY, texture=0, lots=0)
    product = build_product(config)
    unmarked, _ = light(config, product, draw_shot(config, product, np.random.default_rng(3)))
    middle, pixel = product.body.shape[0] // 2, product.pixel
    half, column = 39 / 2 - 1.3, round(middle + 6 * pixel)
    upper, lower = (unmarked[round(middle + sign * half * pixel), column] for sign in (-1, 1))
    assert upper > 1.1 * config.resin
    assert lower < 0.9 * config.resin


def test_relief_of_a_ramp_by_hand() -> None:
    lamp = lamp_direction(azimuth=180.0, elevation=45.0)
    np.testing.assert_allclose(lamp, [-np.sqrt(0.5), 0, np.sqrt(0.5)], atol=1e-6)
    rising = np.tile(np.arange(9, dtype=np.float32), (9, 1))  # faces left, 45 degrees
    # n = (-1, 0, 1) / sqrt(2), so n.l = 1 and the lit share is 1 / l_z.
    assert relief(rising, lamp)[4, 4] == pytest.approx(0.45 + 0.55 * np.sqrt(2))
    assert relief(-rising, lamp)[4, 4] == pytest.approx(0.45)
    assert relief(0 * rising, lamp)[4, 4] == pytest.approx(1)
