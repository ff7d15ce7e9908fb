# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Small changes of an image that leave a good part good and a defective one defective."""

import torch

SHIFT = 1 / 32
"""Largest shift in x and in y, as a share of the side: 2 pixels of 64."""

BRIGHTNESS = 0.1
"""Largest change of the brightness, in grey levels of [-1, 1]: 5 % of full scale."""


def augment(images: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Shift every image by whole pixels and make it brighter or darker.

    No flips and no turns: a part lies one way round, and a turned 6 is a 9.

    Args:
        images: ``(B, C, H, W)`` float in [-1, 1]. What must not be told apart by its augmentation
            goes in together.
        draws: Where the random numbers come from, on the CPU.

    Returns:
        The same shape and range. Pixels that come in at an edge repeat the edge.
    """
    count, _, height, width = images.shape
    largest = round(SHIFT * width)
    # Added to a pixel's position: (B, 1) to (H,) or (W,).
    down, right = torch.randint(-largest, largest + 1, (2, count, 1), generator=draws)
    rows = (torch.arange(height) + down).clamp(0, height - 1)
    columns = (torch.arange(width) + right).clamp(0, width - 1)
    light = BRIGHTNESS * (2 * torch.rand(count, 1, 1, 1, generator=draws) - 1)
    image = torch.arange(count)[:, None, None]
    # Indices around a slice put the channels last.
    shifted = images[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return (shifted + light.to(images.device)).clamp(-1, 1)
