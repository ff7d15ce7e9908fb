# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How much a reconstruction differs from its image, per pixel."""

import torch
from kornia.metrics import ssim

_SSIM_WINDOW = 11


def squared_error(images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
    """(x − x̂)², averaged over the channels.

    Args:
        images: ``(B, C, H, W)`` float in [-1, 1].
        reconstruction: The same shape and range.

    Returns:
        ``(B, H, W)`` in [0, 4].
    """
    return (images - reconstruction).square().mean(1)


def absolute_error(images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
    """|x − x̂|, averaged over the channels.

    Args:
        images: ``(B, C, H, W)`` float in [-1, 1].
        reconstruction: The same shape and range.

    Returns:
        ``(B, H, W)`` in [0, 2].
    """
    return (images - reconstruction).abs().mean(1)


def dissimilarity(images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
    """1 − SSIM(x, x̂), averaged over the channels (Wang et al. 2004).

    Means, variances and covariance are those in a Gaussian window of 11 x 11 pixels with σ = 1.5
    around each pixel, mirrored at the borders; C1 = (0.01·L)², C2 = (0.03·L)², L = 2. SSIM compares
    means by their ratio, so it is defined for intensities from 0 up: the images are moved to
    [0, 2]. In [-1, 1] a medium grey slightly below 0 would be the opposite of one slightly above.

    Args:
        images: ``(B, C, H, W)`` float in [-1, 1], H and W at least 6.
        reconstruction: The same shape and range.

    Returns:
        ``(B, H, W)`` in [0, 2]; 0 where the windows are equal.

    Example:
        >>> images = torch.rand(1, 1, 32, 32)
        >>> bool(dissimilarity(images, images).abs().max() < 1e-4)
        True
    """
    # Not in bfloat16: a variance is a small difference of large numbers.
    with torch.autocast(images.device.type, enabled=False):
        similarity = ssim(images + 1, reconstruction + 1, _SSIM_WINDOW, max_val=2.0)
    return 1 - similarity.mean(1)


RECONSTRUCTION_LOSSES = {"l2": squared_error, "l1": absolute_error, "ssim": dissimilarity}
"""The loss per pixel, of images and reconstructions, by name."""


def check_loss(loss: str) -> None:
    """Refuse a loss that there is not.

    Args:
        loss: Name of a loss.

    Raises:
        ValueError: If it is not one of :data:`RECONSTRUCTION_LOSSES`.
    """
    if loss not in RECONSTRUCTION_LOSSES:
        msg = f"loss must be one of {tuple(RECONSTRUCTION_LOSSES)}, got {loss!r}"
        raise ValueError(msg)
