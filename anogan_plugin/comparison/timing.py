# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Time from an image in memory to its score."""

import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from anomalib.data import AnomalibDataModule, ImageItem
from anomalib.models import AnomalibModule

BATCHES = (1, 32)
_MOST_REPEATS, _FEWEST_REPEATS = 50, 3
_SECONDS = 5.0
"""A batch size is timed for as long as this, and for at least three and at most fifty batches."""


def time_inference(
    model: AnomalibModule, data: AnomalibDataModule, device: str
) -> dict[str, dict[str, float]]:
    """Time pre-processing and scoring of single images and of batches, after a warm-up.

    Args:
        model: A trained model on ``device``.
        data: 32 of its test images are scored, spread over all of them, so that there are good and
            anomalous ones: what a search takes depends on the image.
        device: ``cpu``, or ``cuda:0`` and so on.

    Returns:
        For each batch size, as in ``batch_32``: ``median_ms`` and ``p95_ms`` per image,
        ``images_per_second`` (at the median), and ``repeats``, over how many batches that is.
    """
    test = data.test_data
    count = max(BATCHES)
    items = [cast(ImageItem, test[index * len(test) // count]) for index in range(count)]
    images = torch.stack([cast(torch.Tensor, item.image) for item in items]).to(device)
    model.eval()
    with torch.inference_mode():
        return {f"batch_{size}": _timed(model, images.split(size)) for size in BATCHES}


def _timed(model: AnomalibModule, batches: Sequence[torch.Tensor]) -> dict[str, float]:
    _score(model, batches[0])  # warm-up: freezes networks, fits the start of a search
    seconds: list[float] = []
    while len(seconds) < _MOST_REPEATS:
        if len(seconds) >= _FEWEST_REPEATS and sum(seconds) > _SECONDS:
            break
        images = batches[len(seconds) % len(batches)]
        begin = time.perf_counter()
        _score(model, images)
        seconds.append(time.perf_counter() - begin)
    per_image = np.array(seconds) * 1000 / len(batches[0])
    median = float(np.median(per_image))
    return {
        "median_ms": round(median, 4),
        "p95_ms": round(float(np.quantile(per_image, 0.95)), 4),
        "images_per_second": round(1000 / median, 3),
        "repeats": len(seconds),
    }


def _score(model: AnomalibModule, images: torch.Tensor) -> Any:
    transform = getattr(model.pre_processor, "transform", None)
    scored = model.model(images if transform is None else transform(images))
    if images.is_cuda:
        torch.cuda.synchronize(images.device)
    return scored
