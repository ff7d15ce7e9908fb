# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of the gallery, small enough to stand inside the page."""

import base64
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image

from anogan_plugin.report.comparison.folder import JobRecord
from anogan_plugin.report.comparison.rows import Row

PANELS = ("image", "reconstruction", "difference", "mask", "map")
_LARGEST = 96
_QUALITY = 82
_MOST_BYTES = 7 * 2**20


@dataclass(frozen=True)
class Example:
    """A test image with what a model makes of it.

    Attributes:
        model: Name of the model.
        data: Name of the data set.
        kind: Type of defect, or good.
        outcome: Why it was chosen.
        path: Of the image.
        score: Raw.
        panels: Of :data:`PANELS` those that there are, as ``data:`` addresses.
    """

    model: str
    data: str
    kind: str
    outcome: str
    path: str
    score: float
    panels: dict[str, str]


@dataclass
class Gallery:
    """Examples, and the jobs that found no room.

    Attributes:
        examples: In the order of the rows, by falling score within a job.
        left_out: Jobs whose pictures would make the page too large.
    """

    examples: list[Example] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def gallery(rows: list[Row]) -> Gallery:
    """The examples of the first seed that is done of each model on each data set.

    Args:
        rows: Of the summary.

    Returns:
        Examples of at most 7 MiB in all.
    """
    jobs = {(row.data, row.model): row.done[0] for row in reversed(rows) if row.done}
    found, size = Gallery(), 0
    for job in reversed(jobs.values()):
        examples = _examples(job)
        size += sum(len(panel) for each in examples for panel in each.panels.values())
        if size > _MOST_BYTES:
            found.left_out.append(f"{job.model} on {job.data}")
        else:
            found.examples += examples
    return found


def _examples(job: JobRecord) -> list[Example]:
    folder = job.path / "examples"
    try:
        listed = json.loads((folder / "examples.json").read_text(encoding="utf-8"))["examples"]
        return [
            Example(
                job.model,
                job.data,
                str(each["defect_type"]),
                str(each["reason"]),
                str(each["image_path"]),
                float(each["score"]),
                _panels(folder, each["files"]),
            )
            for each in sorted(listed, key=lambda each: -each["score"])
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # a job is good without pictures


def _panels(folder: Path, files: dict[str, Any]) -> dict[str, str]:
    pictures = {}
    for name, file in files.items():
        with Image.open(folder / Path(str(file)).name) as picture:
            pictures[name] = picture.copy()
    if "reconstruction" in pictures:
        shown = pictures["image"].convert("L").resize(pictures["reconstruction"].size)
        made = pictures["reconstruction"].convert("L")
        apart = np.abs(np.asarray(shown, np.int16) - np.asarray(made, np.int16))
        pictures["difference"] = Image.fromarray((2 * apart).clip(0, 255).astype(np.uint8))
    if "map" in pictures:
        coloured = mpl.colormaps["inferno"](np.asarray(pictures["map"].convert("L")))[..., :3]
        pictures["map"] = Image.fromarray((255 * coloured).round().astype(np.uint8))
    return {name: _address(pictures[name]) for name in PANELS if name in pictures}


def _address(picture: Image.Image) -> str:
    picture.thumbnail((_LARGEST, _LARGEST))
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
