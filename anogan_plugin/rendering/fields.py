# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scalar fields on a pixel grid: distances, band-limited noise, and regions of an exact area."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]
"""Map of float32 values; OpenCV's type hints do not tell the dtype."""
Region = NDArray[np.bool_]
"""Map that is True on the pixels of a region."""


CUBIC_SPREAD = 0.86
"""Standard deviation that OpenCV's cubic enlargement leaves of unit white noise."""


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Field:
    """Draw band-limited Gaussian noise of zero mean and unit variance.

    Args:
        rng: Source of randomness.
        shape: ``(H, W)`` of the result.
        cell: Correlation length in pixels; the spectrum ends at about one cycle per two cells.

    Returns:
        ``(H, W)`` float32.
    """
    height, width = (max(2, int(np.ceil(n / cell)) + 3) for n in shape)
    coarse = rng.standard_normal((height, width), dtype=np.float32)
    # The frame is cut out of the enlarged grid, so that the border is like the inside.
    fine = cv2.resize(coarse, None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
    top, left = ((f - n) // 2 for f, n in zip(fine.shape, shape, strict=True))
    return fine[top : top + shape[0], left : left + shape[1]] / np.float32(CUBIC_SPREAD)


def lowest(field: Field, area: float, within: Region) -> Region:
    """Take the region that the lowest values of a field cover first.

    Args:
        field: ``(H, W)`` values; NaN-free.
        area: Area of the region in pixels, rounded, at least one and at most all of ``within``.
        within: ``(H, W)`` pixels that may be taken.

    Returns:
        ``(H, W)`` bool with exactly that many pixels; among equal values, first come first.
    """
    inside = np.flatnonzero(within)
    count = min(max(1, round(area)), inside.size)
    order = np.argsort(field.ravel()[inside], kind="stable")
    region = np.zeros(field.size, dtype=bool)
    region[inside[order[:count]]] = True
    return region.reshape(field.shape)


def depth(region: Region) -> Field:
    """Distance of each pixel of a region to the nearest pixel outside it, 0 outside, in pixels."""
    return cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)


def rounded_rectangle(x: Field, y: Field, length: float, width: float, radius: float) -> Field:
    """Signed distance to a rounded rectangle about the origin, negative inside.

    Args:
        x: Coordinates along the length, any shape.
        y: Coordinates along the width, same shape.
        length: Full extent in x.
        width: Full extent in y.
        radius: Radius of the corners.

    Returns:
        Distances in the units of ``x``, float32.
    """
    outside_x = np.abs(x) - np.float32(length / 2 - radius)
    outside_y = np.abs(y) - np.float32(width / 2 - radius)
    corner = np.hypot(np.maximum(outside_x, 0), np.maximum(outside_y, 0))
    return corner + np.minimum(np.maximum(outside_x, outside_y), 0) - np.float32(radius)


def bounding_box(region: Region) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around a region that is not empty."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
