# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Arrays that look like photographs to the painter."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BODY = np.s_[12:60, 20:172]


def photograph(dtype: type[np.unsignedinteger] = np.uint8, channels: int = 0) -> NDArray[Any]:
    """A noisy 72x192 picture of a dark body with leads and marking; 0 channels give (H, W)."""
    rng = np.random.default_rng(5)
    grey = np.full((72, 192), 0.85)
    grey[4:68, 30:170:28] = 0.7
    grey[BODY] = 0.25
    text = np.zeros(grey.shape, np.uint8)
    cv2.putText(text, "74LS00", (60, 42), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 1, 2)
    grey += 0.15 * text + rng.normal(0, 0.008, grey.shape)
    pixels = np.round(np.clip(grey, 0, 1) * np.iinfo(dtype).max).astype(dtype)
    if channels == 0:
        return pixels
    image = np.repeat(pixels[..., None], channels, axis=2)
    if channels == 4:
        image[..., 3] = np.iinfo(dtype).max // 3
    return image
