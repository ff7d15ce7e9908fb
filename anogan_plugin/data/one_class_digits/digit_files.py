# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Digits as PNG files: anomalib's visualiser opens the file of every image it draws."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from anogan_plugin.data.image_io import encode_png
from anogan_plugin.data.image_set import EncodedPicture, Manifest, ensure_image_set

from .sources import Digits

_VERSION = "1"  # changes whenever any pixel changes


def write_digits(
    root: Path, digits: Digits, wanted: np.ndarray, image_size: int
) -> dict[int, Path]:
    """Write digits to ``root/<digit>/<index>.png``, unless ``root`` exists.

    Args:
        root: Folder to write.
        digits: All digits.
        wanted: Indices of the digits to write.
        image_size: Height and width of the files in pixels.

    Returns:
        dict[int, Path]: The file of each index.

    Raises:
        ValueError: If ``root`` exists and its files have changed.
        OSError: If the folder cannot be written.
    """
    names = {i: f"{digits.labels[i]}/{i:05d}.png" for i in wanted.tolist()}
    ensure_image_set(
        root,
        Manifest("digits", _VERSION, 0, {"image_size": image_size}),
        lambda: _encode(digits, names, image_size),
        len(names),
        f"writing {root}",
    )
    Manifest.read(root).verify(root)
    return {i: root / name for i, name in names.items()}


def _encode(digits: Digits, names: dict[int, str], image_size: int) -> Iterator[EncodedPicture]:
    size = digits.images.shape[1]
    method = cv2.INTER_LINEAR if image_size >= size else cv2.INTER_AREA
    for index, name in names.items():
        pixels = cv2.resize(digits.images[index], (image_size, image_size), interpolation=method)
        yield EncodedPicture(name, encode_png(pixels))
