# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Filling of the mould: when the resin arrives where, and therefore what stays empty."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.graph import MCP_Geometric

from .fields import Field, smooth_noise

GRID_STEPS = 40
"""Steps of the coarse grid along the body's length."""
PERMEABILITY_SPREAD = 0.6
"""Standard deviation of the logarithm of the permeability."""
PERMEABILITY_CELL = 0.22
"""Correlation length of the permeability, as a fraction of the body's length."""
GATE_ROW = (0.65, 0.85)
"""Range of the gate's place along the left short side, 0 at the top, 1 at the bottom."""
PADDLE_PERMEABILITY = 0.8
"""Permeability above the die paddle, where the gap is thinner, relative to the rest."""


def arrival_time(slowness: Field, gate: tuple[int, int]) -> Field:
    """Time at which the flow front, started at the gate, reaches each cell.

    The front moves at the inverse of the slowness and takes the fastest way, so that the time is
    the geodesic distance from the gate, ``min over paths of the integral of slowness``.

    Args:
        slowness: ``(H, W)`` positive time per cell.
        gate: Row and column of the gate.

    Returns:
        ``(H, W)`` float32 times, 0 at the gate.
    """
    times, _ = MCP_Geometric(slowness).find_costs([gate])
    return times.astype(np.float32)


def fill_time(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Draw one filling of a cavity.

    The permeability is log-normal and band-limited; the gate sits on the left short side near the
    lower corner, as a mould has it, so that the vented right corners usually fill last.

    Args:
        rng: Source of randomness.
        shape: ``(H, W)`` of the cavity in pixels, gate on the left.

    Returns:
        ``(H, W)`` float32 arrival times, in arbitrary units.
    """
    columns = GRID_STEPS
    rows = max(4, round(columns * shape[0] / shape[1]))
    log_slowness = PERMEABILITY_SPREAD * smooth_noise(
        rng, (rows, columns), PERMEABILITY_CELL * columns
    )
    paddle = np.s_[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    log_slowness[paddle] -= np.log(PADDLE_PERMEABILITY)
    gate = (round(rng.uniform(*GATE_ROW) * (rows - 1)), 0)
    times = arrival_time(np.exp(log_slowness), gate)
    return cv2.resize(times, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
