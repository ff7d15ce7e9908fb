# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN's loss ``izi_f``, which is also its score (Schlegl et al. 2019)."""

import torch


def mean_square(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """‖first − second‖² / n for each item of a batch.

    Args:
        first: ``(B, ...)`` images or features.
        second: The same shape.

    Returns:
        ``(B,)`` means over the n pixels or features.

    Example:
        >>> mean_square(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]))
        tensor([2.5000])
    """
    return (first - second).square().flatten(1).mean(1)


def izi_f(residual: torch.Tensor, discrimination: torch.Tensor, weight: float) -> torch.Tensor:
    """‖x − G(E(x))‖² / n + κ·‖f(x) − f(G(E(x)))‖² / n_d.

    Args:
        residual: ``(B,)`` :func:`mean_square` of the images.
        discrimination: ``(B,)`` :func:`mean_square` of their features.
        weight: κ.

    Returns:
        ``(B,)``: A(x) of each image; the mean over good images is what the encoder minimises.
    """
    return residual + weight * discrimination
