# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Paint defects on photographs of good parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import RenderConfig, RenderedPart
from .defects import Canvas, check_kind, draw_defect
from .fields import Field, Region, bounding_box, depth
from .find_body import colours, find_body, grey_of
from .layer import Affine, defect_info, exact_mask, project
from .optics import lamp_direction
from .product import exposed, lead_frame_below

CANVAS_LENGTH = 450.0
"""Length of the body on the canvas, in canvas pixels."""
CANVAS_MARGIN = 6.0
"""Surroundings on the canvas beyond each edge of the body, in units of length."""
UNITS_ACROSS = 44.0
"""Geometric mean of a body's length and width in units of length, as `RenderConfig` has it."""
LARGEST_SUPERSAMPLING = 3
MARKING_FREE = 0.1
"""Part of a body, from each of its edges, where no marking is looked for."""
EDGE_BLUR = 0.45
"""Standard deviation, in pixels, of the blur that makes a painted edge as soft as the rest."""


def paint_defect(
    image: NDArray[Any],
    kind: str,
    rng: np.random.Generator,
    body_mask: NDArray[Any] | None = None,
    config: RenderConfig | None = None,
) -> RenderedPart:
    """Paint a defect on a photograph of a good part.

    The brightness of resin, lead frame, marking and surroundings and the noise are measured in
    the photograph; pixels away from the defect keep their values exactly. As in rendered
    pictures, the gate is on the left short side and the lamp at the upper left.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` photograph, uint8 or uint16; it is not changed. Opacity
            (a second or fourth channel) stays as it is.
        kind: One of `DEFECT_KINDS`.
        rng: Source of all randomness; equal generators give equal bytes.
        body_mask: ``(H, W)``, nonzero on the moulded body; found by `find_body` if None.
        config: Gives the ranges of area and contrast; the default config if None.

    Returns:
        A picture of the photograph's shape and dtype, with mask and metadata.

    Raises:
        ValueError: If the kind is unknown, the dtype is not supported, no body is found, the mask
            does not fit the photograph, or there is no room beside the body for flash.

    Example:
        >>> import numpy as np
        >>> photograph = np.full((72, 192), 200, np.uint8)
        >>> photograph[10:-10, 10:-10] = 60
        >>> part = paint_defect(photograph, "void", np.random.default_rng(0))
        >>> part.image.shape, part.info["defect"]
        ((72, 192), 'void')
    """
    check_kind(kind)
    grey = grey_of(image)
    body = find_body(image) if body_mask is None else _checked_mask(body_mask, grey.shape)
    pose = _pose(body)
    canvas = _canvas(grey, body, pose)
    drawn, contrast = draw_defect(canvas, kind, config or RenderConfig(), rng)

    covered = drawn.region.astype(np.float32)
    coverage, paint = (
        cv2.GaussianBlur(_to_photograph(layer, pose, grey.shape), (0, 0), EDGE_BLUR)
        for layer in (covered, covered * drawn.appearance)
    )
    noisy = paint + coverage * _noise_like(grey, body, rng)
    painted = _blend(image, coverage, noisy, contrast)
    mask = exact_mask(coverage)
    percent = 100 * np.count_nonzero(drawn.region) / np.count_nonzero(canvas.body)
    info = defect_info(kind, percent, contrast, mask, grey_of(painted) - grey)
    return RenderedPart(painted, mask, info)


@dataclass(frozen=True)
class _Pose:
    """Where a body lies in its photograph.

    ``to_canvas`` is the ``(2, 3)`` map from pixels of the photograph to the upright canvas of
    the given shape, ``zoom`` its scale and ``pixel`` the canvas pixels per unit of length.
    """

    shape: tuple[int, int]
    to_canvas: Affine
    zoom: float
    pixel: float


def _checked_mask(body_mask: NDArray[Any], shape: tuple[int, ...]) -> Region:
    if body_mask.shape != shape:
        msg = f"the body mask has shape {body_mask.shape}, the photograph {shape}; make them equal"
        raise ValueError(msg)
    if not body_mask.any():
        msg = "the body mask is empty; mark the moulded body with nonzero pixels"
        raise ValueError(msg)
    return body_mask > 0


def _pose(body: Region) -> _Pose:
    """Turn the body upright: its length along x, turned by as little as that takes."""
    points = np.argwhere(body)[:, ::-1].astype(np.float32)
    centre, (length, width), angle = cv2.minAreaRect(cv2.convexHull(points))
    length, width = length + 1, width + 1  # from outermost pixel centres to pixel edges
    if angle > 45:
        angle, length, width = angle - 90, width, length
    if width > length:
        angle, length, width = angle + 90, width, length
    zoom = CANVAS_LENGTH / length
    pixel = zoom * float(np.sqrt(length * width)) / UNITS_ACROSS
    shape = tuple(round(zoom * side + 2 * CANVAS_MARGIN * pixel) for side in (width, length))
    to_canvas: Affine = cv2.getRotationMatrix2D(centre, angle, zoom)
    to_canvas[:, 2] += np.array([shape[1] - 1, shape[0] - 1]) / 2 - centre
    return _Pose((shape[0], shape[1]), to_canvas, zoom, pixel)


def _canvas(grey: Field, body: Region, pose: _Pose) -> Canvas:
    """Turn a photograph into a canvas and measure the brightness of its materials."""
    shown = _to_canvas(np.ones_like(grey), pose) > 0.5
    upright = _to_canvas(body.astype(np.float32), pose) > 0.5
    image = _to_canvas(grey, pose)
    beside = shown & (depth(~upright) > pose.pixel)  # one unit off, the blurred edge is over
    resin = float(np.median(image[upright]))
    surround = float(np.median(image[beside])) if beside.any() else 3 * resin
    metal = float(np.percentile(image[beside], 90)) if beside.any() else 3 * resin
    metal = min(max(metal, 1.5 * resin), 1.0)
    unmarked, ink = _remove_marking(image, upright, pose.pixel, metal - resin)
    return Canvas(
        image=image,
        unmarked=unmarked,
        body=upright,
        frame=shown,
        below=_below(pose, metal, resin),
        lamp=lamp_direction(),
        resin=resin,
        metal=metal,
        surround=surround,
        ink=ink,
        pixel=pose.pixel,
    )


def _below(pose: _Pose, metal: float, resin: float) -> Field:
    """Draw the lead frame that the resin hides, about one lead per third of the body's width."""
    half_length = CANVAS_LENGTH / 2
    half_width = pose.shape[0] / 2 - CANVAS_MARGIN * pose.pixel
    rows, columns = np.indices(pose.shape, dtype=np.float32)
    u = (columns - (pose.shape[1] - 1) / 2) / np.float32(half_length)
    v = (rows - (pose.shape[0] - 1) / 2) / np.float32(half_width)
    leads = max(2, round(3 * half_length / half_width))
    return exposed(lead_frame_below(u, v, leads), metal, resin)


def _remove_marking(
    image: Field, body: Region, pixel: float, metal_contrast: float
) -> tuple[Field, float]:
    """Replace the bright strokes on a body by the median around them.

    Returns:
        The unmarked image and the strokes' mean brightness above the resin; a fifth of the lead
        frame's when the body bears no marking.
    """
    width = round(7 * pixel) | 1
    steps = 255 / max(float(image.max()), 1e-6)  # OpenCV's wide median filter is for 8 bits
    ground = cv2.medianBlur(np.round(steps * image).astype(np.uint8), width) / np.float32(steps)
    above = np.where(_marked_area(body), image - ground, 0)
    spread = 1.48 * float(np.median(np.abs(above[body])))
    strokes = above > max(3 * spread, 0.04 * metal_contrast)
    if strokes.sum() < 0.005 * body.sum():
        return image, 0.2 * metal_contrast
    ink = float(above[strokes].mean())
    around = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2) > 0
    return np.where(around, np.minimum(image, ground), image), ink


def _marked_area(body: Region) -> Region:
    """The part of a body that bears text: not its rim, nor the pin-1 mark at its end."""
    rows, columns = bounding_box(body)
    margins = (round(MARKING_FREE * (side.stop - side.start)) for side in (rows, columns))
    below, beside = margins
    area = np.zeros_like(body)
    area[rows.start + below : rows.stop - below, columns.start + beside : columns.stop - beside] = 1
    return area & body


def _to_canvas(photograph: Field, pose: _Pose) -> Field:
    if pose.zoom < 1:  # a shrunk photograph must not alias
        photograph = cv2.GaussianBlur(photograph, (0, 0), 0.5 / pose.zoom)
    # Outside the photograph there is nothing: 0.
    return cv2.warpAffine(photograph, pose.to_canvas, pose.shape[::-1])


def _to_photograph(layer: Field, pose: _Pose, shape: tuple[int, int]) -> Field:
    supersampling = int(np.clip(round(pose.zoom), 1, LARGEST_SUPERSAMPLING))
    matrix: Affine = supersampling * cv2.invertAffineTransform(pose.to_canvas)
    matrix[:, 2] += (supersampling - 1) / 2  # from pixel centres to sub-pixel centres
    return project(layer, matrix, shape, supersampling)


def _noise_like(grey: Field, body: Region, rng: np.random.Generator) -> Field:
    """Draw noise as strong and as fine as the photograph's on the body."""

    def strength(signal: Field) -> float:
        fine = signal - cv2.GaussianBlur(signal, (0, 0), 1.0)
        return float(np.percentile(np.abs(fine[body]), 25))  # low, to leave the marking out

    white = rng.standard_normal(grey.shape, dtype=np.float32)
    noise = cv2.GaussianBlur(white, (0, 0), EDGE_BLUR)
    return noise * np.float32(strength(grey) / strength(noise))


def _blend(image: NDArray[Any], coverage: Field, paint: Field, contrast: float) -> NDArray[Any]:
    """Blend paint, already weighted by its coverage, into a photograph of any kind.

    In colour the paint takes the photograph's mean tint.
    """
    full_scale = np.iinfo(image.dtype).max
    painted = image.copy()
    channels = painted[..., None] if image.ndim == 2 else painted[..., : colours(image)]
    touched = coverage > 0
    values = channels[touched].astype(np.float32) / full_scale
    means = channels.reshape(-1, channels.shape[-1]).mean(0)
    tint = (means / max(float(means.mean()), 1e-6)).astype(np.float32)
    change = paint[touched, None] * tint - coverage[touched, None] * values
    channels[touched] = np.round(full_scale * np.clip(values + contrast * change, 0, 1))
    return painted
