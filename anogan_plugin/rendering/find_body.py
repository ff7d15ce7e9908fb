# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Find the moulded body in a photograph."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from .fields import Field, Region

WORKING_SIDE = 256
"""Larger photographs are searched at this length of their shorter side, in pixels."""
AREA_SHARE = (0.05, 0.98)
"""Least and largest part of the picture that a body covers."""
LEAST_SOLIDITY = 0.85
"""Least part of its convex hull that a body covers."""


def grey_of(image: NDArray[Any]) -> Field:
    """Brightness in [0, 1] of a grey or colour picture, mean of the colour channels.

    Args:
        image: ``(H, W)`` or ``(H, W, C)``, uint8 or uint16; a second or fourth channel is opacity.

    Returns:
        ``(H, W)`` float32.

    Raises:
        ValueError: If the picture has another dtype or number of axes.
    """
    if image.dtype not in (np.uint8, np.uint16) or image.ndim not in (2, 3):
        msg = (
            "expected a uint8 or uint16 picture of shape (H, W) or (H, W, C), "
            f"got {image.dtype} of shape {image.shape}; convert it first"
        )
        raise ValueError(msg)
    grey = image if image.ndim == 2 else image[..., : colours(image)].mean(-1)
    return (grey / np.iinfo(image.dtype).max).astype(np.float32)


def colours(image: NDArray[Any]) -> int:
    """Colour channels of an ``(H, W, C)`` picture, opacity not counted."""
    return 3 if image.shape[2] >= 3 else 1


def find_body(image: NDArray[Any]) -> Region:
    """Find the moulded body: the dark, solid region that covers the middle of the picture.

    Otsu's threshold on the blurred picture, then once more half-way between the body and what is
    beside it; opened so that leads fall away; of the components the one that covers most of the
    middle, its holes (bright marking) filled.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` photograph, uint8 or uint16.

    Returns:
        ``(H, W)`` bool.

    Raises:
        ValueError: If there is no such region, or the picture shows nothing but the body.

    Example:
        >>> import numpy as np
        >>> photograph = np.full((72, 192), 200, np.uint8)
        >>> photograph[10:-10, 10:-10] = 60
        >>> bool(abs(find_body(photograph).sum() / (52 * 172) - 1) < 0.01)
        True
    """
    grey = grey_of(image)
    shrink = min(1.0, WORKING_SIDE / min(grey.shape))
    small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    body = _search(small)
    share, solidity = body.mean(), _solidity(body)
    if not (AREA_SHARE[0] <= share <= AREA_SHARE[1] and solidity >= LEAST_SOLIDITY):
        msg = (
            "found no moulded body: expected one dark, solid region in the middle covering "
            f"{AREA_SHARE[0]:.0%} to {AREA_SHARE[1]:.0%} of the picture, found one covering "
            f"{share:.0%} (solidity {solidity:.2f}); give a body mask, or crop less tightly"
        )
        raise ValueError(msg)
    height, width = grey.shape
    return cv2.resize(body.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0


def _search(grey: Field) -> Region:
    """Split dark from bright by Otsu's threshold, then half-way between the body and its rim.

    The second threshold leaves out the body's shadow, which is darker than the surroundings.
    """
    low, high = np.percentile(grey, (0.5, 99.5))
    level = 255 * np.clip((grey - low) / max(float(high - low), 1e-6), 0, 1)
    side = min(grey.shape)
    level = np.round(cv2.GaussianBlur(level, (0, 0), max(0.7, side / 100))).astype(np.uint8)
    otsu, _ = cv2.threshold(level, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    width = max(3, side // 12 | 1)
    body = _middle_component(level <= otsu, width)
    beside = (cv2.dilate(body.astype(np.uint8), _disc(width)) > 0) & ~body
    if not (body.any() and beside.any()):
        return body
    halfway = (np.median(level[body]) + np.median(level[beside])) / 2
    core = cv2.erode(body.astype(np.uint8), _disc(width)) > 0  # with its bright marking
    return _middle_component((level <= min(otsu, halfway)) | core, width)


def _disc(width: int) -> NDArray[Any]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))


def _middle_component(dark: Region, width: int) -> Region:
    """Take the component with most pixels in the middle half of the picture, holes filled.

    What is thinner than ``width``, such as leads, does not count.
    """
    # A body that the picture cuts off must not be opened at the cut.
    padded = np.pad(dark.astype(np.uint8), width, mode="edge")
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, _disc(width))[width:-width, width:-width]
    _, components = cv2.connectedComponents(opened)
    rows, columns = (slice(side // 4, side - side // 4) for side in dark.shape)
    sizes = np.bincount(components[rows, columns].ravel())
    sizes[0] = 0  # what is bright
    return binary_fill_holes((components == sizes.argmax()) & (components > 0))


def _solidity(region: Region) -> float:
    """Area of a region over the area of its convex hull, 0 for an empty region."""
    if not region.any():
        return 0.0
    points = np.argwhere(region)[:, ::-1].astype(np.int32)
    hull = np.zeros(region.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return float(region.sum() / hull.sum())
