# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Bilinear resizing with antialiasing as two matrix products, which every file format has."""

import torch


def resize_antialiased(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize as torchvision does with ``antialias=True``.

    Args:
        images: ``(B, C, H, W)`` float32.
        size: Height and width to resize to, in pixels.

    Returns:
        ``(B, C, *size)``.

    Example:
        >>> resize_antialiased(torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]]), (1, 2))
        tensor([[[[0.7143, 2.2857]]]])
    """
    rows, columns = (
        _weights(length, target, images)
        for length, target in zip(images.shape[-2:], size, strict=True)
    )
    return rows @ images @ columns.T


def _weights(length: int, target: int, like: torch.Tensor) -> torch.Tensor:
    """``(target, length)`` share of each input pixel in each output pixel: a triangle around it."""
    # No arithmetic with the length itself: in a graph for images of any size it is no number.
    centres = torch.arange(length, dtype=like.dtype, device=like.device) + 0.5
    scale = (centres[-1] + 0.5) / target
    wanted = (torch.arange(target, dtype=like.dtype, device=like.device) + 0.5) * scale
    distances = (centres - wanted[:, None]).abs() / scale.clamp_min(1)
    weights = (1 - distances).clamp_min(0)
    return weights / weights.sum(1, keepdim=True)
