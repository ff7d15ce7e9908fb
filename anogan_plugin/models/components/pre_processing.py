# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From anomalib's images to a generator's range."""

from typing import cast

import torch
from anomalib.pre_processing import PreProcessor
from torchvision.transforms.v2 import Compose, Grayscale, Normalize, Resize

from anogan_plugin.models.components.antialiased_resize import resize_antialiased


class AntialiasedPreProcessor(PreProcessor):
    """anomalib's, which resizes in an exported file as it does in training.

    anomalib leaves antialiasing out of exported files: a photograph that is made smaller would
    become another image there than the ones that the threshold comes from.

    Args:
        transform: Steps from ``(B, 3, H, W)`` in [0, 1] to what the model takes.
    """

    def __init__(self, transform: Compose) -> None:
        super().__init__(transform)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Transform images as an exported model does.

        Args:
            batch: ``(B, 3, H, W)`` in [0, 1].

        Returns:
            The transformed images.
        """
        for step in cast(Compose, self.transform).transforms:
            resizes = isinstance(step, Resize) and step.antialias
            batch = resize_antialiased(batch, step.size) if resizes else step(batch)
        return batch


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
    steps = [Resize(image_size, antialias=True), *grey, Normalize(half, half)]
    return AntialiasedPreProcessor(Compose(steps))
