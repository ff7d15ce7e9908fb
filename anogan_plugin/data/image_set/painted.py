# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The painted set: rendered defects on photographs of good parts."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anogan_plugin.data.image_io import read_mask, read_pixels
from anogan_plugin.rendering import DEFECT_KINDS, RENDERER_VERSION, paint_defect

from .manifest import Manifest, sha256_of_files
from .rendered import check_kinds, encode_part, split_evenly
from .workers import make_pictures
from .writer import EncodedPicture, ensure_image_set

_ORDER, _DEFECT = 0, 1  # first number after the seed: choice of photographs, painting


class _Job(NamedTuple):
    photograph: Path
    body_mask: Path | None
    kind: str
    number: int


@dataclass(frozen=True)
class PaintPlan:
    """Which defects are painted on which photographs.

    Args:
        photographs: Photographs of good parts.
        kinds: Kinds of defects, of :data:`anogan_plugin.rendering.DEFECT_KINDS`.
        count: Number of painted images, split evenly among ``kinds``.
        seed: Seed of every picture.
        body_masks: Mask of the body in a photograph. Without one the body is found.

    Raises:
        ValueError: If there is nothing to paint, or a kind is unknown, missing or repeated.
    """

    photographs: tuple[Path, ...]
    kinds: tuple[str, ...]
    count: int
    seed: int
    body_masks: dict[Path, Path]

    def __post_init__(self) -> None:
        check_kinds("paint_defects", self.kinds)
        if not self.photographs or self.count < 1:
            raise ValueError(
                f"{self.count} defects on {len(self.photographs)} photographs of good parts were "
                "asked for, expected at least one of each: add photographs, or raise paint_count."
            )

    def jobs(self) -> Iterator[_Job]:
        """Yield what is to be painted: each kind goes through all the photographs, shuffled."""
        for kind, count in split_evenly(self.count, self.kinds).items():
            rng = np.random.default_rng([self.seed, _ORDER, DEFECT_KINDS.index(kind)])
            order = rng.permutation(len(self.photographs))
            for index in range(count):
                photograph = self.photographs[order[index % len(order)]]
                yield _Job(photograph, self.body_masks.get(photograph), kind, index)

    def parameters(self) -> dict[str, Any]:
        """Return what the pictures depend on, the contents of the photographs included."""
        return {
            "kinds": list(self.kinds),
            "count": self.count,
            "photographs": _digests(list(self.photographs)),
            "body_masks": _digests(list(self.body_masks.values())),
        }


def paint_set(beside: Path, plan: PaintPlan, workers: int | None = None) -> Path:
    """Paint ``plan`` into a folder that is named after it, unless that exists.

    Args:
        beside: The folder of the photographs. The painted set is
            ``<beside>_painted_<hash of the plan>``.
        plan: What to paint.
        workers: Number of processes, which changes no byte; ``None``: one for each processor.

    Returns:
        Path: The painted set, with ``test/<defect>``, ``ground_truth/<defect>`` and
        ``dataset.json``.

    Raises:
        ValueError: If a photograph shows no body and has no mask.
        OSError: If the folder cannot be written.
    """
    header = Manifest("painted", RENDERER_VERSION, plan.seed, plan.parameters())
    identity = json.dumps([header.generator_version, header.seed, header.parameters])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:10]
    root = beside.with_name(f"{beside.name}_painted_{digest}")
    make = partial(_paint, plan.seed)
    ensure_image_set(
        root,
        header,
        lambda: make_pictures(make, list(plan.jobs()), workers),
        plan.count,
        f"painting {root}",
    )
    return root


def _paint(seed: int, job: _Job) -> EncodedPicture:
    pixels = read_pixels(job.photograph)
    body = read_mask(job.body_mask) if job.body_mask else None
    if body is not None and body.shape != pixels.shape[:2]:
        raise ValueError(
            f"{job.body_mask} is {body.shape[1]}x{body.shape[0]} pixels, but {job.photograph} is "
            f"{pixels.shape[1]}x{pixels.shape[0]}: a body mask has the size of its photograph."
        )
    rng = np.random.default_rng([seed, _DEFECT, DEFECT_KINDS.index(job.kind), job.number])
    try:
        painted = paint_defect(pixels, job.kind, rng, body)
    except ValueError as error:
        raise ValueError(
            f"A {job.kind} cannot be painted on {job.photograph} ({error}): give a mask of its "
            "body by body_mask, or remove the photograph."
        ) from error
    noted = replace(painted, info={**painted.info, "photograph": job.photograph.name})
    return encode_part(f"test/{job.kind}/{job.number:05d}.png", noted)


def _digests(paths: list[Path]) -> list[list[str]]:
    """Return name and SHA-256 of every file."""
    return [[p.name, digest] for p, digest in zip(paths, sha256_of_files(paths), strict=True)]
