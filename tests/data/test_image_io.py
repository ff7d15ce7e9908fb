# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import io as skimage_io

from anogan_plugin.data.image_io import (
    encode_png,
    find_images,
    read_mask,
    read_pixels,
    read_whole_pixels,
    to_unit_range,
)

NAMES = ["a b.png", "モールド・×.png", "<img onerror=alert(1)>.png", "UPPER.PNG"]


def random_pixels(dtype: type, channels: int) -> np.ndarray:
    shape = (20, 30) if channels == 1 else (20, 30, channels)
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def png_by_hand(rgb: np.ndarray) -> bytes:
    """Encode (H, W, 3) uint16 after the PNG specification; Pillow keeps but 8 of the 16 bits."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    height, width, _ = rgb.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)  # 0: no filter
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("suffix", "channels", "dtype"),
    [
        (".png", 1, np.uint8),
        (".png", 1, np.uint16),
        (".png", 3, np.uint8),
        (".tif", 1, np.uint8),
        (".tif", 1, np.uint16),
        (".tif", 3, np.uint8),
        (".tif", 3, np.uint16),
    ],
)
def test_reads_every_depth_as_scikit_image_does(
    tmp_path: Path, suffix: str, channels: int, dtype: type
) -> None:
    path = tmp_path / f"image{suffix}"
    skimage_io.imsave(path, random_pixels(dtype, channels), check_contrast=False)
    pixels = read_whole_pixels(path)
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, skimage_io.imread(path))


def test_reads_colour_png_of_16_bits_at_full_depth(tmp_path: Path) -> None:
    pixels = random_pixels(np.uint16, 3)
    (tmp_path / "image.png").write_bytes(png_by_hand(pixels))
    np.testing.assert_array_equal(read_whole_pixels(tmp_path / "image.png"), pixels)


@pytest.mark.parametrize("suffix", [".bmp", ".jpg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_reads_bmp_and_jpeg_as_pillow_does(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"image{suffix}"
    Image.fromarray(random_pixels(np.uint8, channels)).save(path)
    # JPEG decoders may round differently.
    difference = read_whole_pixels(path).astype(int) - np.asarray(Image.open(path)).astype(int)
    assert np.abs(difference).max() <= (2 if suffix == ".jpg" else 0)


def test_transparency_and_palettes_become_rgb(tmp_path: Path) -> None:
    rgba = random_pixels(np.uint8, 4)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "rgba.png"), rgba[..., :3])
    palette = Image.fromarray(rgba[..., :3]).quantize(16)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(
        read_pixels(tmp_path / "palette.png"), np.asarray(palette.convert("RGB"))
    )


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_unit_range_divides_by_the_largest_value_of_the_type(dtype: type, top: int) -> None:
    image = to_unit_range(np.array([[0, top // 5, top]], dtype))
    assert image.shape == (3, 1, 3)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, np.broadcast_to([0, 0.2, 1], (3, 1, 3)), rtol=1e-6)


def test_unit_range_keeps_the_order_of_channels() -> None:
    image = to_unit_range(np.array([[[255, 0, 51]]], np.uint8))
    np.testing.assert_allclose(image[:, 0, 0], [1, 0, 0.2])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_loses_nothing(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = random_pixels(dtype, channels)
    path = tmp_path / "image.png"
    path.write_bytes(encode_png(pixels))
    np.testing.assert_array_equal(read_pixels(path), pixels)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_truncated_image_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    skimage_io.imsave(path, random_pixels(np.uint8, 1), check_contrast=False)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=f"cut{suffix} .*repair or remove it"):
        read_whole_pixels(path)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.png"
    path.write_bytes(content)
    for read in (read_pixels, read_whole_pixels):
        with pytest.raises(ValueError, match=r"text.png .*repair or remove it"):
            read(path)


def test_other_depths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    skimage_io.imsave(path, np.zeros((20, 30), np.float32), check_contrast=False)
    with pytest.raises(ValueError, match=r"float.tif holds float32 pixels, expected 8 or 16 bit"):
        read_whole_pixels(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_mask_is_every_pixel_that_is_not_black(tmp_path: Path, channels: int) -> None:
    mask = np.zeros((4, 5), bool)
    mask[1, 2:4] = True
    pixels = mask.astype(np.uint8) if channels == 1 else np.dstack([mask * 0, mask, mask * 0]) * 255
    cv2.imwrite(str(tmp_path / "mask.png"), pixels.astype(np.uint8))
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), mask)


def test_finds_images_of_any_name_and_no_hidden_ones(tmp_path: Path) -> None:
    for name in [*NAMES, ".hidden.png", ".cache/x.png", "notes.txt", "lot/1.tiff"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encode_png(np.zeros((2, 2), np.uint8)))
    found = {path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)}
    assert found == {*NAMES, "lot/1.tiff"}
    assert all(read_whole_pixels(tmp_path / name).shape == (2, 2) for name in found)
