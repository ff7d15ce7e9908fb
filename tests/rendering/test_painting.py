# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Defects painted on photographs, and the bodies found in them."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from anogan_plugin.rendering import (
    DEFECT_KINDS,
    RenderConfig,
    find_body,
    paint_defect,
    render_part,
)
from anogan_plugin.rendering.layer import project
from anogan_plugin.rendering.optics import canvas_to_frame, draw_shot
from anogan_plugin.rendering.product import SUPERSAMPLING, build_product
from tests.rendering.photographs import BODY, photograph
from tests.shared_data import shared_data

PLAIN = RenderConfig(contrast=(1.0, 1.0), area_percent=(2.0, 2.0))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def true_body() -> np.ndarray:
    body = np.zeros((72, 192), bool)
    body[BODY] = True
    return body


@pytest.mark.parametrize("kind", DEFECT_KINDS)
@pytest.mark.parametrize(
    ("dtype", "channels"),
    [(np.uint8, 0), (np.uint8, 3), (np.uint16, 0), (np.uint16, 4), (np.uint16, 1)],
)
def test_every_kind_paints_on_every_kind_of_photograph(
    kind: str, dtype: type[np.unsignedinteger], channels: int
) -> None:
    image = photograph(dtype, channels)
    before = image.copy()
    part = paint_defect(image, kind, np.random.default_rng(3), config=PLAIN)
    np.testing.assert_array_equal(image, before)
    assert part.image.dtype == image.dtype
    assert part.image.shape == image.shape
    assert part.mask is not None
    assert part.mask.shape == image.shape[:2]
    changed = part.image != image
    if channels:
        assert channels != 4 or not changed[..., 3].any(), "opacity stays"
        changed = changed[..., :3].any(-1)
    mask = part.mask > 0
    assert not (changed & ~(cv2.dilate(part.mask, np.ones((7, 7), np.uint8)) > 0)).any()
    assert changed[mask].mean() > 0.8
    assert part.info["grey_difference"] > 3


@pytest.mark.parametrize("kind", ["short_fill", "void", "chipped_corner"])
def test_the_painted_area_is_the_drawn_one(kind: str) -> None:
    part = paint_defect(photograph(), kind, np.random.default_rng(8), config=PLAIN)
    assert part.mask is not None
    assert 100 * (part.mask > 0).sum() / true_body().sum() == pytest.approx(2, rel=0.06)
    assert part.info["area_percent"] == pytest.approx(2, rel=0.01)


def test_painting_is_deterministic() -> None:
    first, second, other = (
        paint_defect(photograph(), "void", np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.image.tobytes() == second.image.tobytes()
    assert first.info == second.info
    assert first.image.tobytes() != other.image.tobytes()


def test_bit_depth_does_not_change_the_defect() -> None:
    eight, sixteen = (
        paint_defect(photograph(dtype), "chipped_corner", np.random.default_rng(4), config=PLAIN)
        for dtype in (np.uint8, np.uint16)
    )
    assert eight.mask is not None
    np.testing.assert_array_equal(eight.mask, sixteen.mask)
    difference = eight.image / 255 - sixteen.image / 65535
    assert np.abs(difference).max() < 0.02


def test_painted_areas_are_as_noisy_as_the_photograph() -> None:
    rng = np.random.default_rng(6)
    body = np.zeros((300, 400), bool)
    body[40:260, 50:350] = True
    grey = np.where(body, 120, 220) + rng.normal(0, 4, body.shape)
    image = np.round(np.clip(grey, 0, 255)).astype(np.uint8)
    config = replace(PLAIN, area_percent=(30.0, 30.0))
    part = paint_defect(image, "short_fill", rng, body, config)
    assert part.mask is not None
    fine = part.image - cv2.GaussianBlur(part.image.astype(float), (0, 0), 1.0)
    inner = cv2.erode(part.mask, np.ones((9, 9), np.uint8)) > 0
    outer = body & (cv2.dilate(part.mask, np.ones((9, 9), np.uint8)) == 0)
    # Low percentiles, because the lead frame has edges.
    painted, own = (np.percentile(np.abs(fine[where]), 25) for where in (inner, outer))
    assert painted == pytest.approx(own, rel=0.25)


@pytest.mark.parametrize("angle", [0, 9, 90])
def test_a_turned_photograph_gets_its_defect_on_the_body(angle: float) -> None:
    matrix = cv2.getRotationMatrix2D((110, 110), angle, 1.0)
    matrix[:, 2] += (14, 74)  # the 192x72 photograph into the middle of 220x220
    size, nearest = (220, 220), cv2.INTER_NEAREST
    turned = cv2.warpAffine(
        photograph(), matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=217
    )
    body = cv2.warpAffine(true_body().astype(np.uint8), matrix, size, flags=nearest) > 0
    part = paint_defect(turned, "short_fill", np.random.default_rng(0), body, config=PLAIN)
    assert part.mask is not None
    mask = part.mask > 0
    assert (mask & body).sum() > 0.9 * mask.sum()
    assert overlap(find_body(turned), body) > 0.9


def test_find_body_on_rendered_parts() -> None:
    config = RenderConfig()
    product = build_product(config)
    for seed in range(20):
        shot = draw_shot(config, product, np.random.default_rng(seed))
        part = render_part(config, np.random.default_rng(seed))
        matrix = canvas_to_frame(config, product, shot)
        body = project(product.body.astype(np.float32), matrix, (64, 64), SUPERSAMPLING) > 0.5
        assert overlap(find_body(part.image), body) > 0.9


@pytest.mark.parametrize("channels", [0, 3, 4])
@pytest.mark.parametrize("scale", [1, 10])
def test_find_body_in_a_photograph_of_any_size(channels: int, scale: int) -> None:
    large = cv2.resize(photograph(np.uint16, channels), None, fx=scale, fy=scale)
    body = np.kron(true_body(), np.ones((scale, scale), bool))
    assert overlap(find_body(large), body) > 0.95


@pytest.mark.parametrize(
    "image",
    [
        np.full((64, 64), 120, np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8),
        photograph()[16:56, 26:166],
        255 - photograph(),
    ],
    ids=["flat", "noise", "only body", "bright body"],
)
def test_no_body_is_an_error(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="found no moulded body"):
        find_body(image)


def test_bad_input_is_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown defect kind 'dent'"):
        paint_defect(photograph(), "dent", rng)
    with pytest.raises(ValueError, match="got float32 of shape"):
        paint_defect(photograph().astype(np.float32), "void", rng)
    with pytest.raises(ValueError, match=r"shape \(5, 5\)"):
        paint_defect(photograph(), "void", rng, np.ones((5, 5)))
    with pytest.raises(ValueError, match="mask is empty"):
        paint_defect(photograph(), "void", rng, np.zeros((72, 192)))
    with pytest.raises(ValueError, match="shows only the body"):
        paint_defect(photograph()[BODY], "flash", rng, np.ones(photograph()[BODY].shape))


def test_real_photographs() -> None:
    folders = sorted(path for path in shared_data("chip74ls").iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        image = _read(sorted(folder.glob("*.png"))[0])
        assert 0.65 < find_body(image).mean() < 0.95, folder
        kind = DEFECT_KINDS[number % len(DEFECT_KINDS)]
        part = paint_defect(image, kind, np.random.default_rng(number), config=PLAIN)
        assert part.mask is not None
        away = cv2.dilate(part.mask, np.ones((7, 7), np.uint8)) == 0
        assert (part.image == image)[away].mean() > 0.999
        assert part.info["grey_difference"] > 2, (folder, kind)


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image
