# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a defect is put on, and what a defect is: the common ground of all kinds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..fields import Field, Region, bounding_box, depth, lowest, smooth_noise
from ..optics import AMBIENT


@dataclass(frozen=True)
class Canvas:
    """A good part, upright, its length along x; all maps are ``(h, w)``.

    It is either a product's canvas or a photograph turned upright, so that the same code draws a
    defect on both. Brightness is in fractions of full scale.

    Args:
        image: Brightness of the good part.
        unmarked: The same without laser marking; equal to ``image`` off the strokes.
        body: Pixels of the moulded body.
        frame: Pixels that the picture shows for certain.
        below: Brightness of the lead frame and the cavity that the resin hides.
        lamp: ``(3,)`` unit vector to the lamp; x to the right, y down, z to the camera.
        resin: Typical brightness of the resin.
        metal: Typical brightness of the lead frame.
        surround: Typical brightness of what lies beside the body.
        ink: Brightness that a marking adds.
        pixel: Canvas pixels per unit of length, `RenderConfig`'s 1/64 of a frame.
    """

    image: Field
    unmarked: Field
    body: Region
    frame: Region
    below: Field
    lamp: NDArray[np.float32]
    resin: float
    metal: float
    surround: float
    ink: float
    pixel: float

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the body's bounding box."""
        return bounding_box(self.body)


@dataclass(frozen=True)
class Defect:
    """Where a defect is and what it looks like.

    Args:
        region: ``(h, w)`` bool, the pixels it covers.
        appearance: ``(h, w)`` float32 brightness there in full contrast.
        fades: Whether a lower contrast makes sense; without it the contrast factor is 1.
    """

    region: Region
    appearance: Field
    fades: bool = True


def relief(height: Field, lamp: NDArray[np.float32]) -> Field:
    """Brightness of a matt relief relative to a level surface.

    ``a + (1 - a) * max(0, n.l) / l_z`` with the ambient share a and the unit normal n.

    Args:
        height: ``(h, w)`` heights in canvas pixels.
        lamp: ``(3,)`` unit vector to the lamp.

    Returns:
        ``(h, w)`` float32, 1 where level, more on slopes that face the lamp.
    """
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
    facing = np.maximum(lamp[2] - slope_x * lamp[0] - slope_y * lamp[1], 0)
    return AMBIENT + (1 - AMBIENT) / lamp[2] * facing / np.sqrt(1 + slope_x**2 + slope_y**2)


def dome(region: Region, steepness: float = 1.0) -> Field:
    """Height of a rounded bump over a region: semicircular where it is narrow, in canvas pixels."""
    inside = depth(region)
    radius = max(float(inside.max()), 1.0)
    return steepness * np.sqrt(np.maximum(radius**2 - (radius - inside) ** 2, 0))


def place(rng: np.random.Generator, within: Region, clearance: float) -> tuple[int, int]:
    """Draw a pixel, row and column, at least ``clearance`` inside a region if it is that wide."""
    inside = depth(within)
    candidates = np.flatnonzero(inside >= min(max(clearance, 1.0), float(inside.max())))
    row, column = np.unravel_index(rng.choice(candidates), within.shape)
    return int(row), int(column)


def path(angles: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Walk equal steps in the given directions, from the origin.

    Args:
        angles: ``(N,)`` directions in radians.
        length: Length of the whole path.

    Returns:
        ``(N + 1, 2)`` corners as x, y.
    """
    steps = length / angles.size * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.vstack([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def distance_to(points: NDArray[np.float64], shape: tuple[int, int]) -> Field:
    """Distance of every pixel to a polyline.

    Args:
        points: ``(N, 2)`` corners as x, y in pixels; they may lie outside the picture.
        shape: ``(h, w)`` of the result.

    Returns:
        ``(h, w)`` float32 distances in pixels.
    """
    drawn = np.full(shape, 255, np.uint8)
    cv2.polylines(drawn, [np.round(points).astype(np.int32)], isClosed=False, color=0)
    return cv2.distanceTransform(drawn, cv2.DIST_L2, 5)


def widen(
    canvas: Canvas, rng: np.random.Generator, points: NDArray[np.float64], area: float
) -> Region:
    """Widen a polyline to a slightly ragged region on the body.

    Args:
        canvas: The good part.
        rng: Source of randomness.
        points: ``(N, 2)`` corners as x, y in pixels.
        area: Area of the region in pixels; less if the line leaves the body.
    """
    distance = distance_to(points, canvas.body.shape)
    near = canvas.body & (distance <= canvas.pixel)
    ragged = smooth_noise(rng, distance.shape, 1.5 * canvas.pixel)
    return lowest(distance + 0.1 * canvas.pixel * ragged, area, near)
