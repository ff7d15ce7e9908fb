# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is rendered: the parameters of a product, its shots and its defects, and one result."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

REFERENCE_SIZE = 64
"""Frame size the lengths of `RenderConfig` refer to: a length of 1 is 1/64 of the frame's side."""


@dataclass(frozen=True)
class RenderConfig:
    """One product in front of one camera.

    The product (geometry, materials, marking) is the same in every picture of a config; what
    varies from shot to shot is drawn from the ranges below. Lengths are in pixels of a 64-pixel
    frame and scale with ``size``; reflectances and noise are fractions of full scale (255).
    ``dataclasses.asdict`` gives plain JSON values and ``RenderConfig(**asdict(config))`` the same
    config again, also after a trip through JSON.

    Args:
        size: Side of the square picture, in pixels, 32 to 256.
        body_length: Length of the moulded body (horizontal).
        body_width: Width of the moulded body (vertical).
        corner_radius: Radius of the body's corners.
        bevel_width: Width of the bevelled rim, the draft angle seen from above.
        bevel_slope: Slope of that rim (height over width).
        leads_per_side: Leads on each of the two long sides.
        lead_width: Width of a lead.
        dam_bar_gap: Distance from the body to the dam bar that ties the leads together.
        dam_bar_width: Width of the dam bar.
        resin: Reflectance of the epoxy body.
        metal: Reflectance of the lead frame.
        background: Reflectance of the tray below the strip.
        marking_contrast: Reflectance that the laser marking adds to the resin.
        lots: Lots with a lot code of their own; 0 leaves the marking out.
        texture: Standard deviation of the mould texture, relative to the resin's reflectance.
        position_jitter: Shift in x and in y, uniform in plus or minus this.
        rotation_jitter: Rotation in degrees, uniform in plus or minus this.
        light_jitter: Change of the lamp's azimuth and elevation in degrees, uniform likewise.
        gradient: Largest relative change of brightness from the centre to an edge.
        gain_jitter: Relative standard deviation of the exposure.
        offset_jitter: Standard deviation of the black level.
        defocus: Range of the standard deviation of the blur, uniform.
        full_well: Electrons at full scale; the shot noise is the square root of the signal in them.
        read_noise: Standard deviation of the read noise.
        area_percent: Smallest and largest defect area in percent of the body, log-uniform. Kinds
            that cannot be that large have a limit of their own (``defects.LARGEST_AREA_PERCENT``).
        contrast: Range of the contrast factor, uniform: 0 would leave the resin as it is, 1 shows
            the defect's full appearance.

    Raises:
        ValueError: If a parameter is out of its range; the message names it.
    """

    size: int = 64
    body_length: float = 50.0
    body_width: float = 39.0
    corner_radius: float = 2.0
    bevel_width: float = 2.6
    bevel_slope: float = 0.45
    leads_per_side: int = 4
    lead_width: float = 4.4
    dam_bar_gap: float = 3.4
    dam_bar_width: float = 2.2
    resin: float = 0.25
    metal: float = 0.80
    background: float = 0.52
    marking_contrast: float = 0.20
    lots: int = 4
    texture: float = 0.055
    position_jitter: float = 1.5
    rotation_jitter: float = 1.5
    light_jitter: float = 6.0
    gradient: float = 0.10
    gain_jitter: float = 0.035
    offset_jitter: float = 0.008
    defocus: tuple[float, float] = (0.35, 0.75)
    full_well: float = 12000.0
    read_noise: float = 0.004
    area_percent: tuple[float, float] = (0.5, 30.0)
    contrast: tuple[float, float] = (0.2, 1.0)

    def __post_init__(self) -> None:
        for name, limit in (("defocus", np.inf), ("area_percent", 100), ("contrast", 1)):
            low, high = getattr(self, name)
            _check(name, 0 < low <= high <= limit, f"0 < low <= high <= {limit}", (low, high))
            object.__setattr__(self, name, (low, high))  # JSON turns tuples into lists
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, tuple):
                _check(item.name, value >= 0, "0 or more", value)
        _check("size", 32 <= self.size <= 256, "32 to 256", self.size)
        _check("leads_per_side", 1 <= self.leads_per_side <= 100, "1 to 100", self.leads_per_side)
        _check("full_well", self.full_well > 0, "more than 0", self.full_well)
        room = REFERENCE_SIZE - 2 * self.position_jitter
        for name in ("body_length", "body_width"):
            value = getattr(self, name)
            _check(name, 8 <= value <= room, f"8 to {room:g}, to stay in the frame", value)

    @property
    def scale(self) -> float:
        """Output pixels per unit of length."""
        return self.size / REFERENCE_SIZE


def _check(name: str, good: bool, expected: str, value: object) -> None:
    if not good:
        raise ValueError(f"RenderConfig.{name} is {value}, expected {expected}.")


@dataclass(frozen=True)
class RenderedPart:
    """A picture of a part and what is known about it.

    Args:
        image: ``(H, W)`` uint8 when rendered; when painted, the photograph's own shape and dtype.
        mask: ``(H, W)`` uint8, 255 on the pixels the defect changes, 0 elsewhere; None when good.
        info: Plain JSON values. Always ``defect`` (``"good"`` or the kind); a rendered part has
            ``lot``; a defective one has ``area_percent`` (of the body), ``contrast`` (the drawn
            factor), ``grey_difference`` (mean absolute change inside the mask, in 1/255 of full
            scale) and ``x``, ``y`` (centre of the mask, pixels).
    """

    image: NDArray[Any]
    mask: NDArray[np.uint8] | None
    info: dict[str, Any] = field(default_factory=dict)
