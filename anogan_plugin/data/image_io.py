# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pixels from image files and back: PNG, BMP, TIFF and JPEG, 8 or 16 bit, grey or colour.

anomalib's own ``read_image`` clips 16-bit grey at 255 of 65,535, which leaves a white picture.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
"""Lower-case endings of the files that are taken for images."""

_FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
_REMEDY = "repair or remove it"


def find_images(folder: Path) -> list[Path]:
    """Return the images anywhere below ``folder``, sorted; hidden files are not images."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def read_pixels(path: Path | str) -> np.ndarray:
    """Read an image at its own depth.

    Args:
        path: Image file.

    Returns:
        np.ndarray: ``(H, W)`` grey or ``(H, W, 3)`` RGB, uint8 or uint16. Transparency is dropped.

    Raises:
        ValueError: If the file is not an image, or has neither 8 nor 16 bits per channel.
    """
    try:
        encoded = Path(path).read_bytes()  # cv2.imread fails on some Unicode names
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error}): {_REMEDY}.") from error
    return _decode(encoded, path)


def read_whole_pixels(path: Path | str) -> np.ndarray:
    """Read an image as :func:`read_pixels` does, and make sure that no part of it is missing.

    Args:
        path: Image file.

    Returns:
        np.ndarray: As :func:`read_pixels`.

    Raises:
        ValueError: If the file is unreadable or truncated.
    """
    try:
        encoded = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error}): {_REMEDY}.") from error
    return decode_whole_pixels(encoded, path)


def decode_whole_pixels(
    encoded: bytes, name: Path | str, most_pixels: int | None = None
) -> np.ndarray:
    """Decode what is in an image file, and make sure that no part of it is missing.

    OpenCV fills the missing part of a truncated file with grey and says nothing; Pillow raises.

    Args:
        encoded: What is in the file.
        name: The file, for messages.
        most_pixels: Largest height times width that is decoded; None for Pillow's own limit. A
            file of a few kilobytes may unfold to gigabytes.

    Returns:
        np.ndarray: As :func:`read_pixels`.

    Raises:
        ValueError: If the image is unreadable, truncated or too large.
    """
    _check_whole(encoded, name, most_pixels)
    return _decode(encoded, name)


def pixel_count(encoded: bytes) -> int:
    """Height times width as an image file states it; 0 where it is no image."""
    try:
        with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
            return image.width * image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0


def _check_whole(encoded: bytes, name: Path | str, most_pixels: int | None) -> None:
    try:
        with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
            width, height = image.size
            if most_pixels is not None and width * height > most_pixels:
                raise ValueError(f"{width:,} x {height:,} pixels, expected {most_pixels:,} at most")
            image.load()
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is not a {' or '.join(_FORMATS)} file: {_REMEDY}.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be read ({error}): {_REMEDY}.") from error


def _decode(encoded: bytes, name: Path | str) -> np.ndarray:
    found = np.frombuffer(encoded, np.uint8)
    try:
        pixels = cv2.imdecode(found, cv2.IMREAD_UNCHANGED) if found.size else None
    except cv2.error as error:
        raise ValueError(f"{name} cannot be read ({error}): {_REMEDY}.") from error
    if pixels is None:
        raise ValueError(f"{name} is not an image that can be decoded: {_REMEDY}.")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"{name} holds {pixels.dtype} pixels, expected 8 or 16 bit: convert it, or remove it."
        )
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])


def to_unit_range(pixels: np.ndarray) -> np.ndarray:
    """Scale pixels to [0, 1] by the largest value of their type, in the channel order of torch.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)``, uint8 or uint16.

    Returns:
        np.ndarray: ``(3, H, W)`` float32 in [0, 1]; grey is repeated three times.
    """
    rgb = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    scale = np.float32(np.iinfo(pixels.dtype).max)
    unit = rgb.transpose(2, 0, 1).astype(np.float32, order="C")
    unit /= scale
    return unit


def read_mask(path: Path | str) -> np.ndarray:
    """Read a mask: every pixel that is not black belongs to the defect.

    Args:
        path: Image file.

    Returns:
        np.ndarray: ``(H, W)`` bool.

    Raises:
        ValueError: If the file is unreadable or truncated.
    """
    pixels = read_whole_pixels(path)
    return np.asarray(np.atleast_3d(pixels).any(axis=2))


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode ``(H, W)`` or ``(H, W, 3)`` RGB pixels, uint8 or uint16, without loss."""
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    _, encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    return encoded.tobytes()
