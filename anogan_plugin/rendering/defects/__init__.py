# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The kinds of defects. To add one, write its function and give it a line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..config import RenderConfig
from .canvas import Canvas, Defect
from .damage import chipped_corner, crack, scratch
from .moulding import flash, short_fill, void
from .surface import foreign_particle, wrong_marking


@dataclass(frozen=True)
class Kind:
    """How a kind is drawn, ``draw(canvas, rng, area in pixels)``, and how large it gets."""

    draw: Callable[[Canvas, np.random.Generator, float], Defect]
    largest_percent: float


KINDS = {
    "short_fill": Kind(short_fill, 100.0),
    "void": Kind(void, 3.0),
    "flash": Kind(flash, 8.0),
    "chipped_corner": Kind(chipped_corner, 8.0),
    "crack": Kind(crack, 2.5),
    "scratch": Kind(scratch, 2.5),
    "foreign_particle": Kind(foreign_particle, 3.0),
    "wrong_marking": Kind(wrong_marking, 12.0),
}

DEFECT_KINDS: tuple[str, ...] = tuple(KINDS)
"""Names of the kinds; ``short_fill`` is the paper's."""


def check_kind(kind: str) -> None:
    """Raise a ValueError that lists the kinds unless ``kind`` is one of them."""
    if kind not in KINDS:
        msg = f"unknown defect kind {kind!r}, expected one of {', '.join(KINDS)}"
        raise ValueError(msg)


def draw_defect(
    canvas: Canvas, kind: str, config: RenderConfig, rng: np.random.Generator
) -> tuple[Defect, float]:
    """Draw a defect: its area (log-uniform), its contrast factor (uniform), then its shape.

    Args:
        canvas: The good part.
        kind: One of `DEFECT_KINDS`.
        config: Gives the ranges of area and contrast.
        rng: Source of randomness.

    Returns:
        The defect on the canvas and its contrast factor.
    """
    low, high = config.area_percent
    limit = KINDS[kind].largest_percent
    percent = np.exp(rng.uniform(np.log(min(low, limit)), np.log(min(high, limit))))
    area = float(percent / 100 * np.count_nonzero(canvas.body))
    contrast = float(rng.uniform(*config.contrast))
    defect = KINDS[kind].draw(canvas, rng, area)
    return defect, contrast if defect.fades else 1.0


__all__ = ["DEFECT_KINDS", "KINDS", "Canvas", "Defect", "Kind", "check_kind", "draw_defect"]
