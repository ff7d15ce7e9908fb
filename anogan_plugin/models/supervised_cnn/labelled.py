# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The labelled defects that a classifier learns from, and what is remembered of them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from anomalib.data import ImageBatch
from anomalib.data.datasets.base.image import AnomalibDataset
from anomalib.pre_processing import PreProcessor


def labelled_defects_of(datamodule: Any) -> AnomalibDataset:
    """Get the defects that a data module has set aside.

    Args:
        datamodule: One with ``labelled_data``, or another, or None.

    Returns:
        At least one image.

    Raises:
        ValueError: If there is none.
    """
    labelled = getattr(datamodule, "labelled_data", None)
    if not labelled:
        found = "no data module" if datamodule is None else type(datamodule).__name__
        msg = (
            "SupervisedCNN learns from labelled defects, and none are set aside for it "
            f"({found}): give --data.labelled_defects K to ICMold or OneClassDigits, which takes K "
            "images of each type of defect out of the test set. Whoever has no labelled defects "
            "needs a model that learns from good images alone, such as AnoGAN"
        )
        raise ValueError(msg)
    return cast(AnomalibDataset, labelled)


def some_of_each_type(data: AnomalibDataset, count: int) -> AnomalibDataset:
    """Choose labelled defects, the same ones every time, the fewer among the more.

    Args:
        data: Images with a ``defect_type``.
        count: How many of each type.

    Returns:
        Those.

    Raises:
        ValueError: If a type has fewer.
    """
    kinds = count_by_type(data)
    fewest = min(kinds, key=lambda kind: kinds[kind])
    if kinds[fewest] < count:
        msg = (
            f"defects_per_type is {count}, but {kinds[fewest]} {fewest} are set aside: give "
            f"--data.labelled_defects {count} or more, or --model.defects_per_type "
            f"{kinds[fewest]} or less"
        )
        raise ValueError(msg)
    shuffled = data.samples.sort_values("image_path").sample(frac=1, random_state=0)
    return data.subsample(shuffled.groupby("defect_type").head(count).index.tolist())


def load_images(data: AnomalibDataset, pre_processor: PreProcessor | None) -> torch.Tensor:
    """Read and pre-process all images of a small dataset.

    Args:
        data: Images; its augmentations are drawn once.
        pre_processor: The model's, or None.

    Returns:
        ``(N, 3, H, W)`` float32, as batches come to a training step.
    """
    transform = pre_processor.transform if pre_processor else None
    images = [cast(torch.Tensor, data[index].image) for index in range(len(data))]
    return torch.stack([transform(image) if transform else image for image in images])


def count_by_type(data: AnomalibDataset) -> dict[str, int]:
    """Count the images of each type of defect.

    Args:
        data: Images with a ``defect_type``.

    Returns:
        Numbers by type, in the order of the alphabet.
    """
    counts = data.samples.defect_type.value_counts().sort_index()
    return {str(kind): int(count) for kind, count in counts.items()}


def file_digests(paths: Iterable[str]) -> list[str]:
    """Hash files, to know them again wherever they lie.

    Args:
        paths: The files.

    Returns:
        SHA-256 of each one's content, in hexadecimal.
    """
    return [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]


def refuse_trained_on(batch: ImageBatch, digests: Iterable[str]) -> None:
    """Make sure that no test image was trained on.

    Args:
        batch: Test images.
        digests: :func:`file_digests` of the labelled defects.

    Raises:
        ValueError: If one is among them.
    """
    paths = batch.image_path or []
    known = set(digests)
    trained = [
        path for path, digest in zip(paths, file_digests(paths), strict=True) if digest in known
    ]
    if trained:
        msg = (
            f"{trained[0]} was trained on as a labelled defect, so it proves nothing in a test: "
            "give the same --data.labelled_defects and --data.seed as in training, and remove "
            "copies of images from the test set"
        )
        raise ValueError(msg)
