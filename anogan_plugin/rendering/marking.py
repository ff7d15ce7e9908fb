# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Laser marking: two lines of text on a body."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import Field

LETTERS = "ABCDEFGHJKLMNPRTUWXYZ0123456789"
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL_HEIGHT = 21.0
"""Height in pixels of a capital of the font at scale 1."""
TEXT_HEIGHT, LINE_PITCH, TEXT_SHIFT = 0.17, 0.32, 0.06
"""Height and pitch of the lines as fractions of the body's width, shift of its length."""
STROKE_WIDTH = 0.8
"""Width of a stroke in units of length."""


def draw_marking(
    shape: tuple[int, int], box: tuple[slice, slice], pixel: float, lines: tuple[str, ...]
) -> Field:
    """Draw lines of text into a body's bounding box.

    Args:
        shape: ``(h, w)`` of the canvas.
        box: Rows and columns of the body.
        pixel: Canvas pixels per unit of length.
        lines: The text, top to bottom.

    Returns:
        ``(h, w)`` float32 coverage in [0, 1].
    """
    rows, columns = box
    width = rows.stop - rows.start
    height = TEXT_HEIGHT * width
    scale = height / CAPITAL_HEIGHT
    middle_x = (columns.start + columns.stop) / 2 + TEXT_SHIFT * (columns.stop - columns.start)
    middle_y = (rows.start + rows.stop) / 2
    canvas = np.zeros(shape, np.uint8)
    for index, line in enumerate(lines):
        (length, _), _ = cv2.getTextSize(line, FONT, scale, 1)
        base = middle_y + (index - (len(lines) - 1) / 2) * LINE_PITCH * width + height / 2
        origin = (round(middle_x - length / 2), round(base))
        stroke = max(1, round(STROKE_WIDTH * pixel))
        cv2.putText(canvas, line, origin, FONT, scale, 255, stroke, cv2.LINE_AA)
    return canvas.astype(np.float32) / 255
