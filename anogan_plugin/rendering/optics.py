# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One shot: the lamp, the lens, the sensor, and everything that differs between two shots."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import RenderConfig
from .fields import Field, smooth_noise
from .layer import Affine, project
from .product import SUPERSAMPLING, Product

LAMP_AZIMUTH = 225.0
"""Degrees in the picture, x to the right and y down: the lamp stands at the upper left."""
LAMP_ELEVATION = 52.0
"""Degrees above the picture plane."""
AMBIENT = 0.45
"""Share of diffuse light from all directions."""
SHININESS = 24.0
"""Exponent of the specular lobe (Blinn-Phong)."""


@dataclass(frozen=True)
class Shot:
    """All that varies between two pictures of good parts; see `RenderConfig` for the ranges."""

    shift: NDArray[np.float64]
    rotation: float
    lamp: NDArray[np.float32]
    gradient: NDArray[np.float64]
    gain: float
    offset: float
    defocus: float
    lot: int
    marking_strength: float
    lead_gain: Field
    texture: Field
    noise: Field


def lamp_direction(
    azimuth: float = LAMP_AZIMUTH, elevation: float = LAMP_ELEVATION
) -> NDArray[np.float32]:
    """Unit vector, ``(3,)``, to a lamp given by two angles in degrees."""
    turn, rise = np.deg2rad(azimuth), np.deg2rad(elevation)
    flat = np.cos(rise)
    return np.array([flat * np.cos(turn), flat * np.sin(turn), np.sin(rise)], np.float32)


def draw_shot(config: RenderConfig, product: Product, rng: np.random.Generator) -> Shot:
    """Draw the circumstances of one picture."""
    jitter = config.light_jitter
    azimuth, elevation = rng.uniform(-jitter, jitter, 2)
    shape, pixel = product.body.shape, product.pixel
    return Shot(
        shift=rng.uniform(-config.position_jitter, config.position_jitter, 2),
        rotation=rng.uniform(-config.rotation_jitter, config.rotation_jitter),
        lamp=lamp_direction(LAMP_AZIMUTH + azimuth, LAMP_ELEVATION + elevation),
        gradient=rng.uniform(-config.gradient, config.gradient, 2),
        gain=1 + config.gain_jitter * rng.standard_normal(),
        offset=config.offset_jitter * rng.standard_normal(),
        defocus=rng.uniform(*config.defocus),
        lot=int(rng.integers(max(1, config.lots))),
        marking_strength=rng.uniform(0.75, 1.1),
        lead_gain=_lead_gain(config, rng),
        texture=0.86 * smooth_noise(rng, shape, pixel) + 0.5 * smooth_noise(rng, shape, 9 * pixel),
        noise=rng.standard_normal((config.size, config.size), dtype=np.float32),
    )


def _lead_gain(config: RenderConfig, rng: np.random.Generator) -> Field:
    """Brightness of each piece of metal, whose tilt differs; entry 0 is everything else."""
    gain = rng.uniform(0.85, 1.1, 2 + 2 * config.leads_per_side)
    gain[0] = 1
    return gain.astype(np.float32)


def light(config: RenderConfig, product: Product, shot: Shot) -> tuple[Field, Field]:
    """Radiance of the good part on the product's canvas.

    ``albedo * (a + (1 - a) * max(0, n.l) / l_z) + gloss * (max(0, n.h)^s - h_z^s)`` with the
    ambient share a, unit normal n, lamp l, half vector h and shininess s (Blinn-Phong): a level
    matt surface shows its albedo.

    Args:
        config: The product's parameters.
        product: The product's maps.
        shot: The circumstances.

    Returns:
        Radiance without and with laser marking, each ``(S, S)`` float32, 1 is full scale.
    """
    half = shot.lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    facing = np.maximum(np.tensordot(shot.lamp, product.normal, 1), 0)
    mirrored = np.maximum(np.tensordot(half, product.normal, 1), 0)
    shade = AMBIENT + (1 - AMBIENT) / shot.lamp[2] * facing
    shade *= 1 + np.float32(config.texture) * shot.texture
    specular = product.gloss * (mirrored**SHININESS - half[2] ** SHININESS)
    unmarked = product.albedo * shot.lead_gain[product.lead] * shade + specular
    if not product.markings:
        return unmarked, unmarked
    ink = np.float32(config.marking_contrast * shot.marking_strength)
    return unmarked, unmarked + ink * product.markings[shot.lot] * shade


def canvas_to_frame(config: RenderConfig, product: Product, shot: Shot) -> Affine:
    """Affine map from canvas pixels to pixels of the supersampled frame."""
    pixel, side = product.pixel, product.body.shape[0]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), shot.rotation, 1.0)
    frame_middle = (SUPERSAMPLING * config.size - 1) / 2
    matrix[:, 2] += shot.shift * pixel + frame_middle - middle
    return matrix


def expose(
    radiance: Field, config: RenderConfig, product: Product, shot: Shot
) -> NDArray[np.float32]:
    """Photograph a canvas: lens blur, sampling, lighting gradient, exposure and sensor noise.

    Args:
        radiance: ``(S, S)`` canvas radiance.
        config: The product's parameters.
        product: The product's maps.
        shot: The circumstances; its noise is the same for every radiance.

    Returns:
        ``(size, size)`` float32 signal in [0, 1].
    """
    blurred = cv2.GaussianBlur(radiance, (0, 0), shot.defocus * product.pixel)
    matrix = canvas_to_frame(config, product, shot)
    image = project(blurred, matrix, (config.size, config.size), SUPERSAMPLING)
    axis = np.linspace(-1, 1, config.size, dtype=np.float32)
    gradient_x, gradient_y = shot.gradient.astype(np.float32)
    image *= 1 + gradient_x * axis[None, :] + gradient_y * axis[:, None]
    image = np.clip(shot.gain * image + shot.offset, 0, 1)
    noise = np.sqrt(image / config.full_well + config.read_noise**2)
    return np.clip(image + noise * shot.noise, 0, 1)
