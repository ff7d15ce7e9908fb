# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From a canvas to output pixels: projection, the exact mask, and the row of metadata."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .fields import Field

Affine = NDArray[Any]
"""Affine map, ``(2, 3)`` float64, of x, y in pixels."""


def project(canvas: Field, matrix: Affine, shape: tuple[int, int], supersampling: int) -> Field:
    """Map a canvas onto output pixels, each the mean over its sub-pixels.

    Args:
        canvas: ``(h, w)`` float32.
        matrix: ``(2, 3)`` affine map from canvas pixels to sub-pixels of the output.
        shape: ``(H, W)`` of the output.
        supersampling: Sub-pixels per output pixel, along each axis.

    Returns:
        ``(H, W)`` float32.
    """
    fine = (shape[1] * supersampling, shape[0] * supersampling)
    warped = cv2.warpAffine(canvas, matrix, fine, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(warped, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def exact_mask(coverage: Field) -> NDArray[np.uint8]:
    """Mask as many pixels, the most covered ones, as the covered area amounts to (at least one).

    The mask has the region's area. A sliver thinner than half a pixel may be missing from it.

    Args:
        coverage: ``(H, W)`` covered part of each pixel, in [0, 1].

    Returns:
        ``(H, W)`` uint8 in {0, 255}.
    """
    count = max(1, round(float(coverage.sum(dtype=np.float64))))
    mask = np.zeros(coverage.size, np.uint8)
    mask[np.argsort(-coverage.ravel(), kind="stable")[:count]] = 255
    return mask.reshape(coverage.shape)


def defect_info(
    kind: str,
    area_percent: float,
    contrast: float,
    mask: NDArray[np.uint8],
    change: NDArray[np.float32],
) -> dict[str, Any]:
    """Describe a defect; see `RenderedPart.info`.

    Args:
        kind: The defect's kind.
        area_percent: Its area in percent of the body.
        contrast: Its contrast factor.
        mask: ``(H, W)`` its mask.
        change: ``(H, W)`` change of brightness it makes, in fractions of full scale.
    """
    rows, columns = np.nonzero(mask)
    return {
        "defect": kind,
        "area_percent": round(float(area_percent), 4),
        "contrast": round(contrast, 4),
        "grey_difference": round(255 * float(np.abs(change[mask > 0]).mean()), 3),
        "x": round(float(columns.mean()), 2),
        "y": round(float(rows.mean()), 2),
    }
