# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Where a search starts: one draw for all images, or a guess from each image."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

_DRAWS = 2048
_BATCH = 64
_SIDE = 32  # of the images that are regressed on, in pixels: bounds the memory for any image size
_RIDGE = 0.1

Generate = Callable[[torch.Tensor], torch.Tensor]


def one_draw(latent_size: int, seed: int) -> torch.Tensor:
    """A latent vector from N(0, I), the same on every device.

    Args:
        latent_size: Z.
        seed: Which one.

    Returns:
        ``(1, Z)`` float32 on the CPU.
    """
    return torch.randn(1, latent_size, generator=torch.Generator().manual_seed(seed))


class RegressionStart:
    """Guesses z from x by ridge regression, fitted to images that the generator makes.

    An encoder without training: latent vectors are drawn from N(0, I), G makes their images, and
    the linear map from images to latent vectors is solved in closed form. The fit takes a second or
    two, once for any number of images.

    Args:
        generate: G, from ``(B, Z)`` to ``(B, C, H, W)``.
        latent_size: Z.
        seed: Seed of the draws.
        device: Where G is.
    """

    def __init__(
        self, generate: Generate, latent_size: int, seed: int, device: torch.device
    ) -> None:
        noise = torch.Generator().manual_seed(seed)
        latent = torch.randn(_DRAWS, latent_size, generator=noise).to(device)
        with torch.no_grad():
            pixels = torch.cat([_pixels(generate(part)) for part in latent.split(_BATCH)])
        self._centre = pixels.mean(0)
        pixels = (pixels - self._centre).double()
        # Fewer draws than pixels or not, the dual problem is (draws x draws).
        gram = pixels @ pixels.T
        # Where a collapsed generator's images do not vary, any ridge will do: all guesses are 0.
        ridge = _RIDGE * gram.diagonal().mean().clamp_min(1e-12)
        gram += ridge * torch.eye(_DRAWS).to(gram)
        self._farthest = latent.norm(dim=1).max()
        self._map = (pixels.T @ torch.linalg.solve(gram, latent.double())).float()

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Guess.

        Args:
            images: ``(B, C, H, W)`` float32 in the generator's range.

        Returns:
            ``(B, Z)`` float32 latent vectors, none farther out than the draws were.
        """
        guess = (_pixels(images) - self._centre) @ self._map
        norms = guess.norm(dim=1, keepdim=True)
        return guess * (self._farthest / norms.clamp_min(self._farthest))


def _pixels(images: torch.Tensor) -> torch.Tensor:
    factor = max(images.shape[-1] // _SIDE, 1)
    return F.avg_pool2d(images, factor).flatten(1)
