# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Keep PatchCore's coreset within the memory of a machine without a GPU.

anomalib's PatchCore keeps the embedding of every patch of every training image, N rows of D
numbers, and picks a coreset from it with a table of N distances to a new centre per pick. Its
images are resized to 256 x 256 unless its pre-processor says otherwise, whatever their size on
disk, so thousands of images make millions of patches. Before fitting it:

>>> limit_malloc_growth()  # doctest: +SKIP
>>> plan = plan_coreset(images=3277, image_size=64, backbone="efficientnet_lite0_offline",
...     layers=["blocks.2", "blocks.4"], available=8_000_000_000)
>>> plan.patches, round(plan.coreset_sampling_ratio, 3)
(209728, 0.048)

and build ``Patchcore`` with that ``coreset_sampling_ratio`` and
``pre_processor=Patchcore.configure_pre_processor((64, 64))``.
"""

import bisect
import ctypes
import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
from anomalib.models.components import TimmFeatureExtractor
from sklearn.random_projection import johnson_lindenstrauss_min_dim

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_MMAP_THRESHOLD = 1 << 20
_PROJECTION_EPS = 0.9  # of KCenterGreedy
_FLOAT_BYTES = 4
_SHARE_OF_AVAILABLE = 0.8  # the rest is for the network's own maps and for other programs


@dataclass(frozen=True)
class CoresetPlan:
    """How much PatchCore will keep, and how large a coreset to have it pick.

    Args:
        patches: Rows N of the embedding, over all training images.
        channels: Columns D of the embedding.
        picks: Patches in the coreset, which fitting picks one by one in time proportional to N.
        coreset_sampling_ratio: ``picks / patches``, for the argument of that name.
        fit_bytes: Largest memory that fitting takes at a time, besides the program and its network.
    """

    patches: int
    channels: int
    picks: int
    coreset_sampling_ratio: float
    fit_bytes: int


def limit_malloc_growth() -> bool:
    """Have glibc give large blocks back to the system as soon as they are freed.

    Each pick of the coreset allocates and frees a table of N rows. glibc takes large blocks right
    from the system, but when such a block is freed it raises the size from which on it does so.
    Smaller blocks then come from its heap, which can fragment and grow until memory is full. This
    fixes that size at 1 MB for the rest of the process. It costs some time at each pick.

    Returns:
        Whether it did, which is False where the C library is not glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD))


def plan_coreset(
    images: int,
    image_size: int,
    backbone: str,
    layers: Sequence[str],
    coreset_sampling_ratio: float = 0.1,
    max_picks: int = 10_000,
    available: int | None = None,
) -> CoresetPlan:
    """Find a coreset ratio for PatchCore on a CPU, or say why there is none.

    Args:
        images: Number of training images.
        image_size: Side of the square that PatchCore's pre-processor makes of them, in pixels.
        backbone: Name of the network.
        layers: Its layers, the largest map first, as for PatchCore.
        coreset_sampling_ratio: Largest share of the patches to pick.
        max_picks: Largest number of them. It bounds the time of fitting and the memory of scoring,
            where 1,024 patches at a time are compared with each of the coreset.
        available: Bytes that may be used; by default what the system says is available now. Give
            it in a container, whose own limit the system does not say.

    Returns:
        The plan.

    Raises:
        MemoryError: If fitting would take more than 80 % of ``available``, however few patches
            are picked.
        ValueError: If a number is not positive, or the ratio is above 1.
    """
    _check(images, image_size, coreset_sampling_ratio, max_picks)
    extractor = TimmFeatureExtractor(backbone, layers, pre_trained=False)
    channels, stride = sum(extractor.out_dims), extractor.reductions[0]

    def plan(images: int, image_size: int) -> CoresetPlan:
        patches = images * math.ceil(image_size / stride) ** 2
        # At least one, and as KCenterGreedy rounds: a little more, so as not to lose one.
        picks = max(1, min(max_picks, int(patches * coreset_sampling_ratio)))
        ratio = min(1.0, (picks + 0.5) / patches)
        fit_bytes = _fit_bytes(patches, channels, picks)
        return CoresetPlan(patches, channels, picks, ratio, fit_bytes)

    if available is None:
        available = psutil.virtual_memory().available
    allowed = int(_SHARE_OF_AVAILABLE * available)
    wanted = plan(images, image_size)
    if wanted.fit_bytes <= allowed:
        return wanted

    fewer = _largest(images, lambda count: plan(count, image_size).fit_bytes <= allowed)
    smaller = _largest(image_size, lambda size: plan(images, size).fit_bytes <= allowed)
    msg = (
        f"PatchCore would take {_gigabytes(wanted.fit_bytes)} to fit {images:,} images of "
        f"{image_size} x {image_size} ({wanted.patches:,} patches of {channels:,} numbers), and "
        f"{_gigabytes(allowed)} of the {_gigabytes(available)} available may be used, whatever the "
        f"coreset ratio: train on at most {fewer:,} images, or make them at most "
        f"{smaller} x {smaller} in the pre-processor, or take layers with fewer channels"
    )
    raise MemoryError(msg)


def _fit_bytes(patches: int, channels: int, picks: int) -> int:
    """Largest memory at a time of ``PatchcoreModel.subsample_embedding``.

    First the batches' embeddings are stacked, which has them twice. Then there are the embedding,
    its random projection to d numbers a row, per pick the difference of that to a centre, and the
    coreset in the end. d depends on N alone; with a small network it is larger than D.
    """
    projected = int(johnson_lindenstrauss_min_dim(patches, eps=_PROJECTION_EPS))
    stacking = 2 * patches * channels
    picking = patches * (channels + 2 * projected + 3) + picks * channels
    return _FLOAT_BYTES * max(stacking, picking)


def _largest(below: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number under ``below`` that ``fits``, or 0; whatever is smaller fits."""
    return bisect.bisect_left(range(1, below), True, key=lambda number: not fits(number))


def _check(images: int, image_size: int, coreset_sampling_ratio: float, max_picks: int) -> None:
    numbers = {"images": images, "image_size": image_size, "max_picks": max_picks}
    for name, number in numbers.items():
        if number < 1:
            msg = f"{name} must be at least 1, got {number}"
            raise ValueError(msg)
    if not 0 < coreset_sampling_ratio <= 1:
        msg = f"coreset_sampling_ratio must be above 0 and at most 1, got {coreset_sampling_ratio}"
        raise ValueError(msg)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
