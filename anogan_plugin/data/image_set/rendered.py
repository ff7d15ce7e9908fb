# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The rendered set: the paper's split of IC packages, from a seed."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from anogan_plugin.data.image_io import encode_png
from anogan_plugin.rendering import (
    DEFECT_KINDS,
    RENDERER_VERSION,
    RenderConfig,
    RenderedPart,
    render_part,
)

from .manifest import Manifest
from .workers import make_pictures
from .writer import EncodedPicture, ensure_image_set

# First number after the seed of a picture's random generator. Defect k has _FIRST_DEFECT + k, so
# that no picture depends on how many others there are.
_TRAIN_GOOD, _TEST_GOOD, _FIRST_DEFECT = 0, 1, 2


class _Job(NamedTuple):
    folder: str
    stream: int
    defect: str | None
    number: int


@dataclass(frozen=True)
class RenderPlan:
    """What a rendered set holds. The defaults are the split of Nakaoka & Kimoto.

    Args:
        train_good: Number of good images to train on.
        test_good: Number of good test images.
        test_defects: Number of defective test images, split evenly among ``defects``.
        defects: Kinds of defects, of :data:`anogan_plugin.rendering.DEFECT_KINDS`.
        seed: Seed of every picture.
        image_size: Height and width in pixels.

    Raises:
        ValueError: If a number is out of range, or a kind unknown, missing or repeated.
    """

    train_good: int = 3277
    test_good: int = 1100
    test_defects: int = 755
    defects: tuple[str, ...] = ("short_fill",)
    seed: int = 0
    image_size: int = 64

    def __post_init__(self) -> None:
        check_kinds("defects", self.defects)
        for name in ("train_good", "test_good", "test_defects", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more.")
        _ = self.config  # which checks image_size

    @property
    def config(self) -> RenderConfig:
        """The product and the camera."""
        return RenderConfig(size=self.image_size)

    @property
    def total(self) -> int:
        """Number of images, without masks."""
        return self.train_good + self.test_good + self.test_defects

    def jobs(self) -> Iterator[_Job]:
        """Yield what is to be rendered."""
        yield from (_Job("train/good", _TRAIN_GOOD, None, i) for i in range(self.train_good))
        yield from (_Job("test/good", _TEST_GOOD, None, i) for i in range(self.test_good))
        for kind, count in split_evenly(self.test_defects, self.defects).items():
            stream = _FIRST_DEFECT + DEFECT_KINDS.index(kind)
            yield from (_Job(f"test/{kind}", stream, kind, i) for i in range(count))


def check_kinds(argument: str, kinds: tuple[str, ...]) -> None:
    """Raise a ValueError unless ``kinds`` are different kinds of defects that can be rendered."""
    unknown = [kind for kind in kinds if kind not in DEFECT_KINDS]
    if unknown or not kinds or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"{argument} is {list(kinds)}, expected different kinds out of "
            f"{', '.join(DEFECT_KINDS)}."
        )


def split_evenly(count: int, kinds: tuple[str, ...]) -> dict[str, int]:
    """Split ``count`` among ``kinds``; the first ones get what is left over.

    >>> split_evenly(5, ("crack", "void"))
    {'crack': 3, 'void': 2}
    """
    share, rest = divmod(count, len(kinds))
    return {kind: share + (i < rest) for i, kind in enumerate(kinds)}


def render_set(root: Path, plan: RenderPlan, workers: int | None = None) -> None:
    """Render ``plan`` into ``root``, unless ``root`` exists.

    Args:
        root: Folder to write, with ``train/good``, ``test/good``, ``test/<defect>``,
            ``ground_truth/<defect>`` and ``dataset.json``.
        plan: What to render.
        workers: Number of processes, which changes no byte; ``None``: one for each processor.

    Raises:
        OSError: If the folder cannot be written.
    """
    parameters = {"plan": asdict(plan), "config": asdict(plan.config)}
    header = Manifest("rendered", RENDERER_VERSION, plan.seed, parameters)
    make = partial(_render, plan.config, plan.seed)
    ensure_image_set(
        root,
        header,
        lambda: make_pictures(make, list(plan.jobs()), workers),
        plan.total,
        f"rendering {root}",
    )


def _render(config: RenderConfig, seed: int, job: _Job) -> EncodedPicture:
    rng = np.random.default_rng([seed, job.stream, job.number])
    part = render_part(config, rng, job.defect)
    return encode_part(f"{job.folder}/{job.number:05d}.png", part)


def encode_part(path: str, part: RenderedPart) -> EncodedPicture:
    """Encode a part that goes to ``path``, with its mask and its row if it is defective."""
    if part.mask is None:
        return EncodedPicture(path, encode_png(part.image))
    return EncodedPicture(path, encode_png(part.image), encode_png(part.mask), part.info)
