# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The product: geometry, materials and marking of one package on its lead frame strip.

Everything here is fixed by a `RenderConfig` and computed once, on a canvas that is finer than the
picture and larger by a margin, with the package upright in its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import REFERENCE_SIZE, RenderConfig
from .fields import Field, Region, bounding_box, rounded_rectangle
from .marking import LETTERS, draw_marking

SUPERSAMPLING = 3
"""Canvas pixels per output pixel, along each axis."""
MARGIN = 4.0
"""Canvas beyond each edge of the frame, so that a jittered frame stays on the canvas."""

PRODUCT_LINE = "AG4064"
LOT_CODE_LENGTH = 5

RESIN_GLOSS = 0.18
METAL_GLOSS = 0.16
CONTACT_SHADOW = 0.28
"""Share of the light that the body takes from the tray right beside it."""


@dataclass(frozen=True)
class Product:
    """Maps of one product on its canvas, each ``(S, S)``.

    Args:
        body: Pixels of the moulded body.
        albedo: Reflectance without marking, in [0, 1].
        normal: ``(3, S, S)`` unit normals, x to the right, y down, z to the camera.
        gloss: Strength of the specular reflection.
        lead: Number of the lead each pixel belongs to, 0 where there is none.
        markings: Coverage of the laser marking in [0, 1], one map per lot; empty without marking.
        below: Brightness of the lead frame and the cavity inside the body, as if it were open.
        frame: Pixels that every picture shows, whatever its jitter.
        pixel: Canvas pixels per unit of length.
    """

    body: Region
    albedo: Field
    normal: Field
    gloss: Field
    lead: NDArray[np.uint8]
    markings: tuple[Field, ...]
    below: Field
    frame: Region
    pixel: float


@lru_cache(maxsize=8)
def build_product(config: RenderConfig) -> Product:
    """Build the maps of a product; the same config gives the same, cached, object."""
    pixel = SUPERSAMPLING * config.scale
    side = round((REFERENCE_SIZE + 2 * MARGIN) * pixel)
    axis = ((np.arange(side) - (side - 1) / 2) / pixel).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    edge = rounded_rectangle(x, y, config.body_length, config.body_width, config.corner_radius)
    edge = np.maximum(edge, 2.6 - np.hypot(x + config.body_length / 2, y))  # end notch
    body = edge < 0
    lead = _lead_numbers(x, y, config)
    metal = (lead > 0) & ~body

    background = config.background * (1 - CONTACT_SHADOW * np.exp(-np.maximum(edge, 0) / 1.6))
    albedo = np.where(body, config.resin * _mark_albedo(x, y, config), background)
    albedo = np.where(metal, config.metal, albedo).astype(np.float32)
    height = np.where(body, _body_height(x, y, edge, config), 0)
    height += np.where(metal, _lead_height(metal, pixel), 0)
    metal_below = lead_frame_below(
        2 * x / config.body_length, 2 * y / config.body_width, config.leads_per_side
    )
    reach = REFERENCE_SIZE / 2 * (1 - np.deg2rad(config.rotation_jitter)) - config.position_jitter
    return Product(
        body=body,
        albedo=albedo,
        normal=_normals(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 0.3 * pixel), pixel),
        gloss=np.where(body, RESIN_GLOSS, np.where(metal, METAL_GLOSS, 0)).astype(np.float32),
        lead=np.where(body, 0, lead).astype(np.uint8),
        markings=tuple(
            draw_marking(body.shape, bounding_box(body), pixel, (lot_code(lot), PRODUCT_LINE))
            for lot in range(config.lots)
        ),
        below=exposed(metal_below, config.metal, config.resin),
        frame=np.maximum(np.abs(x), np.abs(y)) < reach,
        pixel=pixel,
    )


def lot_code(lot: int) -> str:
    """Code marked on the parts of a lot, the same for every product."""
    return "".join(np.random.default_rng(lot).choice(list(LETTERS), LOT_CODE_LENGTH))


def lead_frame_below(u: Field, v: Field, leads_per_side: int) -> Field:
    """The lead frame inside a body: die on its paddle, tie bars and inner leads.

    Args:
        u: Coordinates along the body, -1 to 1 from end to end.
        v: Coordinates across the body, -1 to 1 likewise.
        leads_per_side: Leads on each long side.

    Returns:
        Reflecting power in [0, 1] relative to bare metal, of the coordinates' shape, float32.
    """
    paddle = (np.abs(u) < 0.46) & (np.abs(v) < 0.42)
    tie_bar = np.abs(v) < 0.09
    pitch = 2.0 / leads_per_side
    fan = u / (0.72 + 0.28 * np.abs(v))
    from_lead = np.abs((fan + 1) % pitch - pitch / 2)
    finger = (from_lead < 0.19 * pitch) & (np.abs(v) > 0.54) & (np.abs(fan) < 1)
    die = (np.abs(u) < 0.3) & (np.abs(v) < 0.3)
    return np.where(die, 0.6, paddle | tie_bar | finger).astype(np.float32)


def exposed(metal_below: Field, metal: float, resin: float) -> Field:
    """Brightness of an unfilled cavity: dull lead frame above a dark floor."""
    floor = 0.3 * resin
    return (floor + metal_below * (0.75 * metal - floor)).astype(np.float32)


def _lead_numbers(x: Field, y: Field, config: RenderConfig) -> NDArray[np.uint8]:
    """Number the metal: 1 for bars and rails, 2 and up for the single leads."""
    pitch = config.body_length / config.leads_per_side
    number = np.zeros(x.shape, np.uint8)
    for index in range(config.leads_per_side):
        centre = (index + 0.5) * pitch - config.body_length / 2
        column = np.abs(x - centre) < config.lead_width / 2
        number[column & (y < 0)] = 2 + 2 * index
        number[column & (y > 0)] = 3 + 2 * index
    from_body = np.abs(y) - config.body_width / 2 - config.dam_bar_gap
    dam_bar = (from_body > 0) & (from_body < config.dam_bar_width)
    rail = np.abs(x) > config.body_length / 2 + config.dam_bar_gap
    tie_bar = (np.abs(y) < 2.2) & (np.abs(x) > config.body_length / 2 - 1)
    number[dam_bar | rail | tie_bar] = 1
    return number


def _ejector_marks(x: Field, y: Field, config: RenderConfig) -> list[Field]:
    """Signed distances to the outlines of the two ejector-pin marks."""
    return [
        (np.hypot(x - sign * 0.37 * config.body_length, y + 0.26 * config.body_width) - 3.4)
        for sign in (-1, 1)
    ]


def _mark_albedo(x: Field, y: Field, config: RenderConfig) -> Field:
    """Relative reflectance of the resin: the ejector pins leave it smoother, hence darker."""
    albedo = np.ones_like(x)
    for outline in _ejector_marks(x, y, config):
        albedo = np.where(outline < 0, 0.86, albedo)
    return albedo


def _body_height(x: Field, y: Field, edge: Field, config: RenderConfig) -> Field:
    """Height of the body's surface: bevelled rim, pin-1 dimple and ejector marks."""
    height = config.bevel_slope * np.minimum(-edge, config.bevel_width)
    pin_one = np.hypot(x + 0.38 * config.body_length, y - 0.31 * config.body_width) / 2.6
    height -= 0.8 * np.sqrt(np.maximum(1 - pin_one**2, 0))
    for outline in _ejector_marks(x, y, config):
        height -= 0.35 * np.clip(0.5 - outline / 0.6, 0, 1)
    return height


def _lead_height(metal: Region, pixel: float) -> Field:
    """Height of the stamped metal: flat, with rounded edges."""
    inside = cv2.distanceTransform(metal.astype(np.uint8), cv2.DIST_L2, 5)
    return 0.35 * np.minimum(inside / pixel, 0.7).astype(np.float32)


def _normals(height: Field, pixel: float) -> Field:
    """Unit normals of a height map whose heights are in units of length."""
    slope_y, slope_x = np.gradient(height * pixel)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(height)])
    return (normal / np.linalg.norm(normal, axis=0)).astype(np.float32)
