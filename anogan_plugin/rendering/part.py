# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Render one part, good or defective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .config import RenderConfig, RenderedPart
from .defects import Canvas, check_kind, draw_defect
from .fields import Field
from .layer import defect_info, exact_mask, project
from .optics import Shot, canvas_to_frame, draw_shot, expose, light
from .product import SUPERSAMPLING, Product, build_product


def render_part(
    config: RenderConfig, rng: np.random.Generator, defect: str | None = None
) -> RenderedPart:
    """Render one picture of a part.

    The shot is drawn from ``rng`` before the defect is, so that a good and a defective picture
    from equal generators differ by the defect alone.

    Args:
        config: The product, the camera and the distributions.
        rng: Source of all randomness; equal generators give equal bytes.
        defect: One of `DEFECT_KINDS`, or None for a good part.

    Returns:
        A ``(size, size)`` uint8 picture, with mask and metadata when there is a defect.

    Raises:
        ValueError: If ``defect`` is no known kind.

    Example:
        >>> import numpy as np
        >>> part = render_part(RenderConfig(), np.random.default_rng([0, 2, 5]), "short_fill")
        >>> part.image.shape, part.image.dtype.name, part.info["defect"]
        ((64, 64), 'uint8', 'short_fill')
    """
    if defect is not None:
        check_kind(defect)
    product = build_product(config)
    shot = draw_shot(config, product, rng)
    unmarked, marked = light(config, product, shot)
    good = expose(marked, config, product, shot)
    info = {"defect": "good", "lot": shot.lot}
    if defect is None:
        return RenderedPart(_quantise(good), None, info)

    canvas = _canvas(config, product, shot, marked, unmarked)
    drawn, contrast = draw_defect(canvas, defect, config, rng)
    covered = drawn.region.astype(np.float32)
    radiance = marked + contrast * covered * (drawn.appearance - marked)
    image = expose(radiance, config, product, shot)
    matrix = canvas_to_frame(config, product, shot)
    mask = exact_mask(project(covered, matrix, image.shape, SUPERSAMPLING))
    percent = 100 * np.count_nonzero(drawn.region) / np.count_nonzero(product.body)
    info |= defect_info(defect, percent, contrast, mask, image - good)
    return RenderedPart(_quantise(image), mask, info)


def _canvas(
    config: RenderConfig, product: Product, shot: Shot, marked: Field, unmarked: Field
) -> Canvas:
    return Canvas(
        image=marked,
        unmarked=unmarked,
        body=product.body,
        frame=product.frame,
        below=product.below,
        lamp=shot.lamp,
        resin=config.resin,
        metal=config.metal,
        surround=config.background,
        ink=config.marking_contrast * shot.marking_strength,
        pixel=product.pixel,
    )


def _quantise(signal: Field) -> NDArray[np.uint8]:
    return np.round(255 * signal).astype(np.uint8)
