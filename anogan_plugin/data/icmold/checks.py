# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with a user's images, found before training rather than in the middle of it."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from anomalib.data.utils import Split
from rich.progress import track

from anogan_plugin.data.image_io import read_whole_pixels
from anogan_plugin.data.image_set import MANIFEST_NAME, Manifest
from anogan_plugin.rendering import RENDERER_VERSION

logger = logging.getLogger(__name__)

OnUnreadable = Literal["raise", "skip"]

_FEW_ENOUGH_TO_CHECK_SILENTLY = 500


@dataclass(frozen=True)
class _Decoded:
    """What is left of an image after decoding it.

    Args:
        size: Height and width in pixels.
        digest: The same for the same pixels, whatever the file format.
        problem: Why it could not be decoded.
    """

    size: tuple[int, ...] = ()
    digest: str = ""
    problem: str = ""


def check_images(samples: pd.DataFrame, on_unreadable: OnUnreadable) -> pd.DataFrame:
    """Decode every image and mask.

    Args:
        samples: As :class:`~anogan_plugin.data.image_dataset.ImageFileDataset` takes them.
        on_unreadable: ``"raise"``, or ``"skip"`` to leave unreadable images out.

    Returns:
        pd.DataFrame: The samples that can be used.

    Raises:
        ValueError: If an image or mask is unreadable or truncated, a mask has not the size of its
            image, or the same image is in train and in test.
    """
    decoded = dict(_decode_all(samples.image_path))
    unreadable = [path for path, result in decoded.items() if result.problem]
    if unreadable and on_unreadable == "raise":
        raise ValueError(
            f"{decoded[unreadable[0]].problem} {len(unreadable):,} of {len(samples):,} images "
            'cannot be read; on_unreadable="skip" leaves them out.'
        )
    if unreadable:
        logger.warning("Left out %d unreadable images:\n%s", len(unreadable), "\n".join(unreadable))
        samples = samples[~samples.image_path.isin(unreadable)].reset_index(drop=True)
    _check_masks(samples, decoded)
    _check_leak(samples, decoded)
    return samples


def _decode_all(paths: Iterable[str]) -> Iterator[tuple[str, _Decoded]]:
    paths = list(paths)
    with ThreadPoolExecutor() as pool:  # the decoders release Python's lock
        yield from track(
            zip(paths, pool.map(_decode, paths), strict=True),
            "checking images",
            total=len(paths),
            disable=len(paths) < _FEW_ENOUGH_TO_CHECK_SILENTLY,
        )


def _decode(path: str) -> _Decoded:
    try:
        pixels = read_whole_pixels(path)
    except ValueError as error:
        return _Decoded(problem=str(error))
    rgb = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    return _Decoded(pixels.shape[:2], hashlib.sha256(rgb.tobytes()).hexdigest())


def _check_masks(samples: pd.DataFrame, decoded: dict[str, _Decoded]) -> None:
    masked = samples[samples.mask_path != ""]
    masks = dict(_decode_all(masked.mask_path))
    for image_path, mask_path in zip(masked.image_path, masked.mask_path, strict=True):
        mask, image = masks[mask_path], decoded[image_path]
        if mask.problem:
            raise ValueError(mask.problem)
        if mask.size != image.size:
            raise ValueError(
                f"{mask_path} is {mask.size[1]}x{mask.size[0]} pixels, but its image {image_path} "
                f"is {image.size[1]}x{image.size[0]}: resize the mask to the size of its image."
            )


def _check_leak(samples: pd.DataFrame, decoded: dict[str, _Decoded]) -> None:
    in_train = samples.split == Split.TRAIN.value
    trained = {decoded[path].digest: path for path in samples.image_path[in_train]}
    leaks = [p for p in samples.image_path[~in_train] if decoded[p].digest in trained]
    if leaks:
        raise ValueError(
            f"{leaks[0]} is the same picture as {trained[decoded[leaks[0]].digest]}, which is "
            f"trained on ({len(leaks):,} such test images): remove one of the two."
        )


def check_own_images(root: Path, requested: Mapping[str, object], painting: bool) -> None:
    """Raise a ValueError if pictures were asked for that only a rendered set can have."""
    ignored = requested.keys() - ({"seed"} if painting else set())
    if ignored:
        raise ValueError(
            f"{root} holds your own images (it has no {MANIFEST_NAME}), to which "
            f"{', '.join(map(_argument, sorted(ignored)))} cannot apply: drop the argument, or "
            "give another --data.root to have a set rendered there."
        )


def check_rendered(root: Path, manifest: Manifest, requested: Mapping[str, object]) -> None:
    """Make sure that a rendered set is what it says it is, and what was asked for.

    Args:
        root: Its folder.
        manifest: Its `dataset.json`.
        requested: Fields of :class:`~anogan_plugin.data.image_set.rendered.RenderPlan` that the
            user gave.

    Raises:
        ValueError: If it is another kind of set, was rendered with other numbers, or its files
            are not those it was written with.
    """
    if manifest.generator != "rendered":
        raise ValueError(
            f"{root} is a {manifest.generator} set, expected a rendered one or your own images: "
            "correct --data.root."
        )
    if "plan" not in manifest.parameters:
        raise ValueError(
            f"{root / MANIFEST_NAME} does not say how the set was rendered: delete the folder to "
            "have it rendered anew."
        )
    for name, value in requested.items():
        there = manifest.parameters["plan"][name]
        value = list(value) if isinstance(value, tuple) else value
        if value != there:
            raise ValueError(
                f"{root} was rendered with {_argument(name)}={there}, but {value} was asked for: "
                "delete the folder to have it rendered anew, or drop the argument."
            )
    if manifest.generator_version != RENDERER_VERSION:
        logger.warning(
            "%s was rendered by version %s of the renderer, this is version %s: delete the folder "
            "to have it rendered anew.",
            root,
            manifest.generator_version,
            RENDERER_VERSION,
        )
    manifest.verify(root)


def _argument(name: str) -> str:
    """Return the data module's name for a field of the plan."""
    return "render_seed" if name == "seed" else name
