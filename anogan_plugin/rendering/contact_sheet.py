# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Contact sheet: good parts, then every kind of defect from barely visible to plain.

Run ``python -m anogan_plugin.rendering.contact_sheet --help``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .config import RenderConfig, RenderedPart
from .defects import DEFECT_KINDS, KINDS
from .painting import paint_defect
from .part import render_part

Maker = Callable[[RenderConfig, np.random.Generator, str | None], RenderedPart]

ZOOM = 2
GAP = 6
LABEL_WIDTH = 120
CAPTION_HEIGHT = 16
BACKGROUND, TEXT, OUTLINE = (255, 255, 255), (32, 32, 32), (255, 176, 0)


def contact_sheet(
    config: RenderConfig | None = None,
    photograph: NDArray[Any] | None = None,
    columns: int = 6,
    seed: int = 0,
) -> Image.Image:
    """Draw a labelled contact sheet.

    Each kind has two rows: the pictures, and the same pictures with the mask outlined. Area and
    contrast grow from left to right through the config's ranges.

    Args:
        config: What is rendered; the default config if None.
        photograph: ``(H, W)`` or ``(H, W, 3)`` picture to paint the defects on, uint8 or uint16;
            parts are rendered if None.
        columns: Pictures in a row, at least 2.
        seed: Seed of all randomness.

    Returns:
        An RGB picture.

    Raises:
        ValueError: If ``columns`` is less than 2, or no body is found in the photograph.
    """
    if columns < 2:
        msg = f"a contact sheet has at least 2 columns, got {columns}"
        raise ValueError(msg)
    config = config or RenderConfig()
    make: Maker = render_part if photograph is None else _painter(photograph)

    def generator(*key: int) -> np.random.Generator:
        return np.random.default_rng([seed, *key])

    good = [make(config, generator(0, column), None) for column in range(columns)]
    rows = [_row("good", [_enlarged(part) for part in good], [""] * columns)]
    for number, kind in enumerate(DEFECT_KINDS, start=1):
        parts = [
            make(step, generator(number, column), kind)
            for column, step in enumerate(_steps(config, kind, columns))
        ]
        captions = [
            f"{part.info['area_percent']:.1f} %, contrast {part.info['contrast']:.2f}"
            for part in parts
        ]
        rows.append(_row(kind, [_enlarged(part) for part in parts], [""] * columns))
        rows.append(_row("", [_outlined(part) for part in parts], captions))
    return _stack(rows)


def _painter(photograph: NDArray[Any]) -> Maker:
    def make(config: RenderConfig, rng: np.random.Generator, kind: str | None) -> RenderedPart:
        if kind is None:
            return RenderedPart(photograph, None, {"defect": "good"})
        return paint_defect(photograph, kind, rng, config=config)

    return make


def _steps(config: RenderConfig, kind: str, columns: int) -> list[RenderConfig]:
    """Fix area and contrast of each column, from the ranges' lower to their upper ends."""
    low, high = (min(end, KINDS[kind].largest_percent) for end in config.area_percent)
    areas = np.geomspace(low, high, columns).tolist()
    contrasts = np.linspace(*config.contrast, columns).tolist()
    return [
        replace(config, area_percent=(area, area), contrast=(contrast, contrast))
        for area, contrast in zip(areas, contrasts, strict=True)
    ]


def _enlarged(part: RenderedPart) -> NDArray[np.uint8]:
    image = part.image
    if image.dtype != np.uint8:
        image = (image // 257).astype(np.uint8)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return _zoomed(image[..., :3])


def _outlined(part: RenderedPart) -> NDArray[np.uint8]:
    image = _enlarged(part)
    if part.mask is not None:
        mask = _zoomed(part.mask)
        image[(cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0) & (mask == 0)] = OUTLINE
    return image


def _zoomed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(image, ZOOM, axis=0), ZOOM, axis=1)


def _row(label: str, images: list[NDArray[np.uint8]], captions: list[str]) -> Image.Image:
    """Set pictures side by side, the label at their left and captions below if there are any."""
    height, width = images[0].shape[:2]
    below = CAPTION_HEIGHT if any(captions) else 0
    size = (LABEL_WIDTH + len(images) * (width + GAP), height + GAP + below)
    row = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(row)
    font, small = ImageFont.load_default(14), ImageFont.load_default(11)
    draw.text((GAP, height // 2), label.replace("_", " "), TEXT, font, anchor="lm")
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left = LABEL_WIDTH + index * (width + GAP)
        row.paste(Image.fromarray(image), (left, GAP))
        draw.text((left + width // 2, height + GAP + 2), caption, TEXT, small, anchor="ma")
    return row


def _stack(rows: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows) + GAP), BACKGROUND)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a contact sheet; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m anogan_plugin.rendering.contact_sheet",
        description="Draw good parts and every kind of defect, from barely visible to plain.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("output", type=Path, help="picture to write, for example sheet.png")
    parser.add_argument("--size", type=int, default=64, help="side of the rendered pictures")
    parser.add_argument("--columns", type=int, default=6, help="pictures in a row")
    parser.add_argument("--seed", type=int, default=0, help="seed of all randomness")
    parser.add_argument(
        "--photograph", type=Path, help="paint on this photograph of a good part instead"
    )
    options = parser.parse_args(arguments)
    try:
        photograph = None if options.photograph is None else _read(options.photograph)
        sheet = contact_sheet(
            RenderConfig(size=options.size), photograph, options.columns, options.seed
        )
    except (OSError, ValueError) as error:
        parser.error(str(error))
    sheet.save(options.output)


def _read(path: Path) -> NDArray[Any]:
    """Read a photograph as it is stored, colours as RGB; an OSError names an unreadable file."""
    content = np.frombuffer(path.read_bytes(), np.uint8)  # cv2.imread fails on unusual names
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if image is None:
        msg = f"expected a picture, found something else in {path}; give a PNG, TIFF or JPEG file"
        raise OSError(msg)
    return image[..., 2::-1] if image.ndim == 3 else image


if __name__ == "__main__":
    main()
