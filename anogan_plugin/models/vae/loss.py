# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The two terms of a VAE's loss (Kingma & Welling 2014)."""

import torch


def reconstruction_cost(
    images: torch.Tensor, reconstruction: torch.Tensor, pixel_std: float
) -> torch.Tensor:
    """−log p(x|z) per pixel, without its constant: Σ (x − x̂)² / (2σ²) over the channels.

    p(x|z) is a Gaussian with mean x̂ and standard deviation σ for each pixel and channel; left out
    is log(2πσ²)/2 for each of them.

    Args:
        images: ``(B, C, H, W)`` float in [-1, 1].
        reconstruction: x̂, the same shape and range.
        pixel_std: σ, in grey levels of [-1, 1].

    Returns:
        ``(B, H, W)`` in nats, at least 0.
    """
    return (images - reconstruction).square().sum(1) / (2 * pixel_std**2)


def kl_to_normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(μ, diag s²) ‖ N(0, I)) = Σ (μ² + s² − 1 − log s²) / 2.

    Args:
        mean: μ, ``(B, latent_size)`` float.
        log_variance: log s², the same shape.

    Returns:
        ``(B,)`` in nats, at least 0.

    Example:
        >>> kl_to_normal(torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2))
        tensor([2.])
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
