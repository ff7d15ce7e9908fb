# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Defects from handling after moulding: broken corners, cracks and scratches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fields import depth, lowest, smooth_noise
from .canvas import Canvas, Defect, dome, path, place, relief, widen

LINE_WIDTH = (0.9, 1.3)
"""Width of a crack or scratch, in units of length; its length follows from the area."""


def chipped_corner(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Break a corner off: outermost nothing is left, inside shows the rough, paler fracture."""
    rows, columns = np.indices(canvas.body.shape, dtype=np.float32)
    down, right = (float(rng.choice((-1, 1))) for _ in range(2))
    slant = np.float32(rng.uniform(0.6, 1.6))
    ragged = smooth_noise(rng, canvas.body.shape, 4 * canvas.pixel)
    from_corner = -(down * rows + right * slant * columns) + 1.2 * canvas.pixel * ragged
    region = lowest(from_corner, area, canvas.body)
    gone = lowest(from_corner, 0.4 * area, canvas.body)
    grain = smooth_noise(rng, canvas.body.shape, 1.3 * canvas.pixel)
    fracture = canvas.resin * (1.5 + 0.15 * grain) * relief(ragged + 0.4 * grain, canvas.lamp)
    return Defect(region, np.where(gone, 0.8 * canvas.surround, fracture).astype(np.float32))


def crack(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Split the resin along a jagged line that starts at the body's outline."""
    length, step = _line_length(canvas, rng, area), 1.5 * canvas.pixel
    steps = max(2, round(length / step))
    start, heading = _start_and_heading(canvas, rng)
    angles = heading + 0.45 * rng.standard_normal(steps) + np.cumsum(rng.normal(0, 0.12, steps))
    region = widen(canvas, rng, start + path(angles, length), area)
    return Defect(region, 0.35 * canvas.resin * relief(-dome(region), canvas.lamp))


def scratch(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Scrape a long, gently curved, pale line into the surface."""
    length = _line_length(canvas, rng, area)
    row, column = place(rng, canvas.body, length / 3)
    along = np.linspace(-0.5, 0.5, 24)
    angles = rng.uniform(0, np.pi) + rng.uniform(-0.6, 0.6) * along
    points = path(angles, length)
    region = widen(canvas, rng, points - points.mean(0) + (column, row), area)
    pressure = np.clip(0.3 + 0.12 * smooth_noise(rng, region.shape, 5 * canvas.pixel), 0.12, 0.5)
    pale = canvas.resin + pressure * (canvas.metal - canvas.resin)
    return Defect(region, pale * relief(-dome(region, 0.5), canvas.lamp))


def _line_length(canvas: Canvas, rng: np.random.Generator, area: float) -> float:
    """Length, in canvas pixels, of a line of the given area; at most 1.2 times the body's width."""
    longest = 1.2 * min(canvas.body[canvas.box].shape)
    return min(area / (rng.uniform(*LINE_WIDTH) * canvas.pixel), longest)


def _start_and_heading(
    canvas: Canvas, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Draw a point, x and y, of the body's outline and a heading into the body."""
    row, column = place(rng, canvas.body, 0.25 * min(canvas.body[canvas.box].shape))
    outline = np.argwhere(canvas.body & (depth(canvas.body) < 1.5))
    distance = np.hypot(*(outline - (row, column)).T)
    start = rng.choice(outline[distance <= 1.3 * distance.min()])[::-1].astype(np.float64)
    return start, float(np.arctan2(row - start[1], column - start[0]))
