# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Defects of the moulding itself: too little resin, air in it, or resin where none belongs."""

from __future__ import annotations

import numpy as np

from ..fields import Region, depth, lowest, smooth_noise
from ..flow_front import fill_time
from .canvas import Canvas, Defect, dome, place, relief

MENISCUS_WIDTH = 1.6
"""Width of the rounded flow front, in units of length; less where a hole is too small for it."""
FLASH_REACH = 3.4
"""Farthest that flash creeps from the body: the dam bar stops it. In units of length."""


def short_fill(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Leave empty what would have filled last: a meniscus, and behind it the lead frame."""
    time = np.zeros(canvas.body.shape, np.float32)
    time[canvas.box] = fill_time(rng, canvas.body[canvas.box].shape)
    region = lowest(-time, area, canvas.body)
    # The front borders on resin only; along the body's outline the cavity is simply open.
    from_front = np.where(region, depth(region | ~canvas.body), 0)
    width = min(MENISCUS_WIDTH * canvas.pixel, 0.6 * float(from_front.max()))
    behind_front = from_front / width
    fall = np.sqrt(1 - np.minimum(behind_front, 1) ** 2)
    shaded = relief(width * fall, canvas.lamp)
    glint = 0.9 * np.maximum(shaded - 1, 0) + 0.08
    meniscus = canvas.resin * shaded + glint * (canvas.metal - canvas.resin)
    exposed = np.clip((behind_front - 0.5) / 0.5, 0, 1)
    shadow = np.clip(behind_front / 2, 0.3, 1)
    return Defect(region, meniscus + exposed * (shadow * canvas.below - meniscus))


def void(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Open one to three air bubbles in the surface: dark pits with a lit far wall."""
    count = int(rng.integers(1, 4)) if area > 12 * canvas.pixel**2 else 1
    radius = np.sqrt(area / count / np.pi)
    rows, columns = np.indices(canvas.body.shape, dtype=np.float32)
    field = np.full(canvas.body.shape, np.inf, np.float32)
    for _ in range(count):
        row, column = place(rng, canvas.body, radius + canvas.pixel)
        distance = np.hypot(rows - row, columns - column) * np.float32(rng.uniform(0.8, 1.25))
        field = np.minimum(field, distance)
    field += np.float32(0.22 * radius) * smooth_noise(rng, canvas.body.shape, max(2.0, radius))
    region = lowest(field, area, canvas.body)
    bowl = dome(region)
    shaded = relief(-bowl, canvas.lamp)
    sunk = bowl / bowl.max()
    return Defect(region, canvas.resin * (1.25 * shaded - 0.75 * sunk))


def flash(canvas: Canvas, rng: np.random.Generator, area: float) -> Defect:
    """Let a thin film of resin creep out of the parting line, at most to the dam bar.

    Raises:
        ValueError: If the picture shows nothing beside the body.
    """
    from_body = depth(~canvas.body)
    near = (from_body > 0) & (from_body < FLASH_REACH * canvas.pixel)
    room: Region = canvas.frame & near
    if not room.any():
        msg = (
            "flash lies beside the body, but this picture shows only the body; "
            "crop less tightly or leave flash out"
        )
        raise ValueError(msg)
    row, column = place(rng, room, 0)
    rows, columns = np.indices(room.shape, dtype=np.float32)
    along = np.hypot(rows - row, columns - column)
    ragged = smooth_noise(rng, room.shape, 3 * canvas.pixel)
    region = lowest(0.5 * along + from_body + 0.7 * canvas.pixel * ragged, area, room)
    film = canvas.resin * (1.15 + 0.06 * ragged)
    return Defect(region, 0.8 * film + 0.2 * canvas.image)
