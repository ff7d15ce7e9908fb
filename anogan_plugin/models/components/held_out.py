# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How well a generator that is still in training covers good images it never saw."""

import torch
from torch import nn

from anogan_plugin.latent_search.frozen import freeze

_STEPS = 30
_LEARNING_RATE = 0.1


def fixed_latent(count: int, latent_size: int, device: torch.device) -> torch.Tensor:
    """Latent vectors that are the same at every call.

    Args:
        count: Number of vectors.
        latent_size: Length of one.
        device: Where to put them.

    Returns:
        ``(count, latent_size)`` float32, drawn from N(0, I).
    """
    noise = torch.Generator().manual_seed(0)
    return torch.randn(count, latent_size, generator=noise).to(device)


def searched_residual(generator: nn.Module, images: torch.Tensor, latent_size: int) -> float:
    """Residual of held-out good images after a short latent search, the same one every time.

    A full search after every epoch would take longer than the epoch. This one takes a few large
    steps from the same latent vectors at each call, so that what changes from epoch to epoch is the
    generator: its coverage, which is what limits AnoGAN.

    Args:
        generator: G as it is now; not changed.
        images: ``(N, C, H, W)`` held-out good images in [-1, 1].
        latent_size: Length of a latent vector.

    Returns:
        Mean |x − G(z)| per pixel, in grey levels of [-1, 1].
    """
    frozen = freeze(generator)
    latent = fixed_latent(len(images), latent_size, images.device).requires_grad_()
    optimizer = torch.optim.Adam([latent], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        loss = (images - frozen(latent)).abs().sum()
        (latent.grad,) = torch.autograd.grad(loss, latent)
        optimizer.step()
    with torch.no_grad():
        return float((images - frozen(latent)).abs().mean())
