# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Photographs as a factory has them, written in any format."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from skimage import io as skimage_io

from anogan_plugin.rendering import RenderConfig, render_part


def photograph(number: int, dtype: type = np.uint8, channels: int = 1) -> np.ndarray:
    """Return shot ``number`` of a package: (32, 32) or (32, 32, 3)."""
    grey = render_part(RenderConfig(size=32), np.random.default_rng([77, number])).image
    pixels: np.ndarray = grey.astype(dtype) * (257 if dtype == np.uint16 else 1)
    return pixels if channels == 1 else np.dstack([pixels] * channels)


def write_photographs(
    folder: Path, names: Iterable[str], first: int = 0, dtype: type = np.uint8, channels: int = 1
) -> None:
    """Write a different photograph under each name, beginning with shot ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names, start=first):
        pixels = photograph(number, dtype, channels)
        skimage_io.imsave(folder / name, pixels, check_contrast=False)


def write_masks(folder: Path, names: Iterable[str], size: tuple[int, int] = (32, 32)) -> None:
    """Write masks of one square."""
    folder.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    mask[5:10, 6:12] = 255
    for name in names:
        skimage_io.imsave(folder / name, mask, check_contrast=False)


def numbered(count: int, suffix: str = ".png") -> list[str]:
    """Return names as a camera gives them, without leading zeros: shot0.png to shot10.png."""
    return [f"shot{i}{suffix}" for i in range(count)]


def write_own_set(root: Path, masks: bool = True) -> Path:
    """Write 10 images to train on, 4 good and 3 cracked ones to test on."""
    write_photographs(root / "train/good", numbered(10))
    write_photographs(root / "test/good", numbered(4), first=10)
    write_photographs(root / "test/crack", numbered(3), first=14)
    if masks:
        write_masks(root / "ground_truth/crack", numbered(3))
    return root
