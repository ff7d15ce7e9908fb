# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How well a generator that is still in training covers good images it never saw."""

import torch
from torch import nn

from anogan_plugin.latent_search.frozen import freeze

_STEPS = 10
_LEARNING_RATE = 0.05


class HeldOutProbe:
    """Residual of held-out good images, by a latent search that goes on from epoch to epoch.

    A full search after every epoch would take longer than the epoch. Here the latent vectors are
    kept, and each call descends a few steps further from where the last one stopped: they follow
    the slowly moving generator. What is left is coverage, which is what limits AnoGAN.

    Args:
        images: ``(N, C, H, W)`` held-out good images in [-1, 1].
        latent_size: Length of a latent vector.
    """

    def __init__(self, images: torch.Tensor, latent_size: int) -> None:
        self.images = images
        noise = torch.Generator().manual_seed(0)
        start = torch.randn(len(images), latent_size, generator=noise)
        self.latent = start.to(images.device).requires_grad_()
        self.optimizer = torch.optim.Adam([self.latent], lr=_LEARNING_RATE)

    def measure(self, generator: nn.Module) -> float:
        """Descend a little further and report the residual.

        Args:
            generator: G as it is now; not changed.

        Returns:
            Mean |x − G(z)| per pixel, in grey levels of [-1, 1].
        """
        frozen = freeze(generator)
        for _ in range(_STEPS):
            loss = (self.images - frozen(self.latent)).abs().sum()
            (self.latent.grad,) = torch.autograd.grad(loss, self.latent)
            self.optimizer.step()
        with torch.no_grad():
            return float((self.images - frozen(self.latent)).abs().mean())
