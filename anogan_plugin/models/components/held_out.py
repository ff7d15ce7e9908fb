# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How well a generator that is still in training covers good images it never saw."""

import torch
from torch import nn

from anogan_plugin.latent_search.frozen import freeze

_STEPS = 30
_LEARNING_RATE = 0.1


class HeldOutProbe:
    """Residual of held-out good images after a short latent search, the same one every time.

    A full search after every epoch would take longer than the epoch. This one takes a few large
    steps from the same latent vectors at each call, so that what changes from epoch to epoch is the
    generator: its coverage, which is what limits AnoGAN.

    Args:
        images: ``(N, C, H, W)`` held-out good images in [-1, 1].
        latent_size: Length of a latent vector.
    """

    def __init__(self, images: torch.Tensor, latent_size: int) -> None:
        self.images = images
        noise = torch.Generator().manual_seed(0)
        start = torch.randn(len(images), latent_size, generator=noise)
        self.start = start.to(images.device)

    def measure(self, generator: nn.Module) -> float:
        """Search and report the residual.

        Args:
            generator: G as it is now; not changed.

        Returns:
            Mean |x − G(z)| per pixel, in grey levels of [-1, 1].
        """
        frozen = freeze(generator)
        latent = self.start.clone().requires_grad_()
        optimizer = torch.optim.Adam([latent], lr=_LEARNING_RATE)
        for _ in range(_STEPS):
            loss = (self.images - frozen(latent)).abs().sum()
            (latent.grad,) = torch.autograd.grad(loss, latent)
            optimizer.step()
        with torch.no_grad():
            return float((self.images - frozen(latent)).abs().mean())
