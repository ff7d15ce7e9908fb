# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Defects that lie on the surface: foreign particles and a wrong or missing marking."""

from __future__ import annotations

import numpy as np

from ..fields import Region, lowest, smooth_noise
from ..marking import LETTERS, draw_marking
from .canvas import Canvas, Defect, dome, path, place, relief, widen

FIBRE_SHARE = 0.35
"""Share of the foreign particles that are fibres; the others are grains."""
STROKE = 0.12
"""Part of the ink from which a pixel belongs to the marking."""


def foreign_particle(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Lay a grain or a fibre on the body, paler or darker than the resin, rounded and lit."""
    region = _fibre(canvas, rng, area) if rng.random() < FIBRE_SHARE else _grain(canvas, rng, area)
    pale = canvas.resin + rng.uniform(0.5, 1.0) * (canvas.metal - canvas.resin)
    dark = rng.uniform(0.2, 0.4) * canvas.resin
    material = pale if rng.random() < 0.6 else dark
    return Defect(region, material * relief(dome(region, 0.7), canvas.lamp))


def wrong_marking(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Leave out part of the marking (as much as the area asks for) or write another text.

    Without a marking on the part, a text appears where none belongs. The area of another text is
    that of both texts' strokes, whatever was asked for, and its contrast is the marking's own.
    """
    strokes = (canvas.image - canvas.unmarked > STROKE * canvas.ink) & canvas.body
    if strokes.any() and rng.random() < 0.5:
        columns = np.indices(strokes.shape, dtype=np.float32)[1]
        return Defect(lowest(-columns, area, strokes), canvas.unmarked)
    lines = tuple("".join(rng.choice(list(LETTERS), count)) for count in (5, 6))
    text = draw_marking(canvas.body.shape, canvas.box, canvas.pixel, lines)
    region = (strokes | (text > STROKE)) & canvas.body
    return Defect(region, canvas.unmarked + canvas.ink * text, fades=False)


def _grain(canvas: Canvas, rng: np.random.Generator, area: float) -> Region:
    """Draw an irregular, slightly elongated blob."""
    radius = np.sqrt(area / np.pi)
    row, column = place(rng, canvas.body, radius + canvas.pixel)
    rows, columns = np.indices(canvas.body.shape, dtype=np.float32)
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.0, 1.7)
    along = (columns - column) * np.cos(turn) + (rows - row) * np.sin(turn)
    across = (rows - row) * np.cos(turn) - (columns - column) * np.sin(turn)
    ragged = smooth_noise(rng, canvas.body.shape, max(2.0, radius))
    return lowest(np.hypot(along / stretch, across) + 0.16 * radius * ragged, area, canvas.body)


def _fibre(canvas: Canvas, rng: np.random.Generator, area: float) -> Region:
    """Draw a curled fibre, about one unit of length thick."""
    length = min(area / canvas.pixel, 1.5 * min(canvas.body[canvas.box].shape))
    steps = 40
    angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(rng.normal(0, 0.04), 0.2, steps))
    points = path(angles, length)
    row, column = place(rng, canvas.body, length / 4)
    return widen(canvas, rng, points - points.mean(0) + (column, row), area)
