# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From anomalib's images to a generator's range."""

from anomalib.pre_processing import PreProcessor
from torchvision.transforms.v2 import Compose, Grayscale, Normalize, Resize


def to_generator_range(image_size: tuple[int, int], channels: int) -> PreProcessor:
    """Resize, make grey where asked, and scale [0, 1] to the generator's [-1, 1].

    Args:
        image_size: Height and width in pixels.
        channels: 1 for grey, 3 for colour.

    Returns:
        The pre-processor, from ``(B, 3, H, W)`` to ``(B, 3, *image_size)``. A grey image has three
        equal channels, because anomalib's batches take no others; the model reads the first.
    """
    grey = [Grayscale(3)] if channels == 1 else []
    half = [0.5] * 3
    return PreProcessor(Compose([Resize(image_size, antialias=True), *grey, Normalize(half, half)]))
