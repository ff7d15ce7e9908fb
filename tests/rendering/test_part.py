# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Rendered parts: same bytes, exact masks, and the distributions that the card promises."""

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest
from scipy.stats import kstest

from anogan_plugin.rendering import DEFECT_KINDS, RenderConfig, RenderedPart, render_part
from anogan_plugin.rendering.defects import KINDS

PLAIN = RenderConfig(contrast=(1.0, 1.0), area_percent=(2.0, 2.0))
FILLING_KINDS = ("short_fill", "void", "flash", "chipped_corner")


def render(config: RenderConfig, index: int, kind: str | None = None) -> RenderedPart:
    return render_part(config, np.random.default_rng([0, 2, index]), kind)


def masked(part: RenderedPart) -> np.ndarray:
    assert part.mask is not None
    return part.mask > 0


@pytest.mark.parametrize("size", [32, 64, 100])
def test_a_good_part_has_no_mask(size: int) -> None:
    part = render(RenderConfig(size=size), 0)
    assert part.image.shape == (size, size)
    assert part.image.dtype == np.uint8
    assert part.mask is None
    assert part.info["defect"] == "good"


@pytest.mark.parametrize("kind", [None, *DEFECT_KINDS])
def test_equal_generators_give_equal_bytes(kind: str | None) -> None:
    first, second, other = (render(RenderConfig(), index, kind) for index in (3, 3, 4))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.info == second.info
    assert first.image.tobytes() != other.image.tobytes()


def test_a_new_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib, numpy as np; from anogan_plugin.rendering import *; "
        "part = render_part(RenderConfig(), np.random.default_rng([0, 2, 7]), 'short_fill'); "
        "print(hashlib.sha256(part.image.tobytes() + part.mask.tobytes()).hexdigest())"
    )
    for index in range(7):  # whatever was rendered before must not matter
        render(RenderConfig(), index, "crack")
    part = render(RenderConfig(), 7, "short_fill")
    here = hashlib.sha256(part.image.tobytes() + (255 * masked(part)).astype(np.uint8).tobytes())
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here.hexdigest()


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("kind", DEFECT_KINDS)
def test_the_picture_changes_on_the_mask_and_nowhere_else(kind: str, size: int) -> None:
    config = replace(PLAIN, size=size)
    reach = 2 * (2 + round(2 * config.defocus[1] * config.scale)) + 1
    for index in range(4):
        good, bad = render(config, index), render(config, index, kind)
        change = np.abs(bad.image.astype(int) - good.image)
        near = cv2.dilate(masked(bad).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        slivers = 0.1 if size < 64 else 0.05  # thinner than half a pixel
        assert change[~near].sum() < slivers * change.sum()
        assert (change[masked(bad)] > 0).mean() > 0.8


@pytest.mark.parametrize("percent", [0.5, 2.5, 10.0])
@pytest.mark.parametrize("kind", FILLING_KINDS)
def test_the_area_is_the_drawn_one(kind: str, percent: float) -> None:
    config = replace(PLAIN, size=128, area_percent=(percent, percent))
    percent = min(percent, KINDS[kind].largest_percent)
    # By hand: a rounded rectangle, less a notch of which about half a disc is inside.
    body = 50.0 * 39.0 - (4 - np.pi) * 2.0**2 - 0.5 * np.pi * 2.6**2
    for index in range(3):
        part = render(config, index, kind)
        assert part.info["area_percent"] == pytest.approx(percent, rel=0.01)
        area = masked(part).sum() / config.scale**2
        assert 100 * area / body == pytest.approx(percent, rel=0.04)


@pytest.mark.parametrize("kind", ["crack", "scratch", "foreign_particle", "wrong_marking"])
def test_other_kinds_report_the_area_they_have(kind: str) -> None:
    config = replace(PLAIN, size=128)
    body = 50.0 * 39.0
    for index in range(4):
        part = render(config, index, kind)
        area = masked(part).sum() / config.scale**2
        assert 100 * area / body == pytest.approx(part.info["area_percent"], rel=0.06)


def test_info_is_plain_json_and_its_centre_is_the_mask_s() -> None:
    part = render(PLAIN, 1, "chipped_corner")
    info = json.loads(json.dumps(part.info))
    assert info == part.info
    rows, columns = np.nonzero(masked(part))
    assert (info["x"], info["y"]) == pytest.approx((columns.mean(), rows.mean()), abs=0.01)


def test_area_is_log_uniform_and_contrast_uniform() -> None:
    config = RenderConfig(size=32)
    infos = [render(config, index, "short_fill").info for index in range(300)]
    (low, high), (weak, strong) = config.area_percent, config.contrast
    spread = np.log([info["area_percent"] / low for info in infos]) / np.log(high / low)
    assert kstest(spread, "uniform").pvalue > 0.001
    contrasts = [(info["contrast"] - weak) / (strong - weak) for info in infos]
    assert kstest(contrasts, "uniform").pvalue > 0.001


@pytest.mark.parametrize("kind", [kind for kind in DEFECT_KINDS if kind != "wrong_marking"])
def test_visibility_is_proportional_to_contrast(kind: str) -> None:
    weak, strong = (
        render(replace(PLAIN, contrast=(factor, factor)), 6, kind).info["grey_difference"]
        for factor in (0.2, 0.8)
    )
    assert strong / weak == pytest.approx(4, rel=0.1)


def test_lots_differ_in_their_marking_alone() -> None:
    parts = [render(RenderConfig(), index) for index in range(60)]
    by_lot = [
        np.mean([part.image for part in parts if part.info["lot"] == lot], axis=0)
        for lot in range(RenderConfig().lots)
    ]
    difference = np.abs(by_lot[0] - by_lot[1])
    upper_line, below_marking = difference[20:32, 20:50], difference[44:50, 20:50]
    assert upper_line.mean() > 1.5 * below_marking.mean()


def test_a_part_without_marking_gets_one_as_a_wrong_marking() -> None:
    config = replace(PLAIN, lots=0)
    assert render(config, 0, "wrong_marking").info["grey_difference"] > 3


def test_a_config_survives_json() -> None:
    config = RenderConfig(size=48, contrast=(0.3, 0.9))
    assert RenderConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 16}, "size is 16, expected 32 to 256"),
        ({"contrast": (0.5, 0.2)}, "contrast is"),
        ({"area_percent": (0.0, 2.0)}, "area_percent is"),
        ({"leads_per_side": 0}, "leads_per_side is 0"),
        ({"read_noise": -0.1}, "read_noise is -0.1, expected 0 or more"),
        ({"body_length": 63.0}, "to stay in the frame"),
    ],
)
def test_a_config_out_of_range_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RenderConfig(**values)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'dent', expected one of short_fill"):
        render(RenderConfig(), 0, "dent")
