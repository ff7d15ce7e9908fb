# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's iterative mapping from an image to the latent space (Schlegl et al. 2017, sec. 2.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from anogan_plugin.latent_search.frozen import FrozenNetworks

Progress = Callable[[range], Iterable[int]]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class SearchSettings:
    """How the search descends; a number scored with other settings is another experiment.

    Args:
        steps: Gradient steps per image, the paper's Γ.
        discrimination_weight: λ, the weight of the discrimination loss, in [0, 1].
        learning_rate: Step size of Adam (β 0.9, 0.999); the papers do not give theirs.
        seed: Seed of the starting latent vector z₁ ~ N(0, I), the same one for every image.
        precision: ``"fp32"``, or ``"bf16"`` for networks that descend in bfloat16; the latent
            vectors, the losses and the final scores are float32 in both.

    Raises:
        ValueError: If a value is outside its range.
    """

    steps: int = 500
    discrimination_weight: float = 0.1
    learning_rate: float = 0.05
    seed: int = 0
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.steps < 0:
            msg = f"search steps must be at least 0, got {self.steps}"
            raise ValueError(msg)
        if not 0 <= self.discrimination_weight <= 1:
            msg = f"discrimination_weight must be in [0, 1], got {self.discrimination_weight}"
            raise ValueError(msg)
        if self.learning_rate <= 0:
            msg = f"search learning rate must be positive, got {self.learning_rate}"
            raise ValueError(msg)
        if self.precision not in _DTYPES:
            msg = f"search precision must be one of {tuple(_DTYPES)}, got {self.precision!r}"
            raise ValueError(msg)


@dataclass(frozen=True)
class SearchResult:
    """What the search found for a batch of B images; all tensors float32, detached.

    Attributes:
        latent: ``(B, Z)`` latent vectors z_Γ.
        reconstruction: ``(B, C, H, W)`` images G(z_Γ), in the generator's range.
        residual: ``(B,)`` residual losses R(x) = Σ|x − G(z_Γ)|, in the images' grey levels.
        discrimination: ``(B,)`` discrimination losses D(x) = Σ|f(x) − f(G(z_Γ))|.
        score: ``(B,)`` anomaly scores A(x) = (1 − λ)·R(x) + λ·D(x).
    """

    latent: torch.Tensor
    reconstruction: torch.Tensor
    residual: torch.Tensor
    discrimination: torch.Tensor
    score: torch.Tensor


def sum_of_differences(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Σ|first − second| for each item of a batch: both of AnoGAN's losses.

    Args:
        first: ``(B, ...)`` images or features.
        second: The same shape.

    Returns:
        ``(B,)`` sums, not means, as the papers have them.

    Example:
        >>> sum_of_differences(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]))
        tensor([3.])
    """
    return (first - second).abs().flatten(1).sum(1)


class LatentSearch:
    """Searches the latent space of a frozen generator for the image nearest to each given one.

    Minimises by Adam, over z alone, and for each image by itself (Nakaoka & Kimoto, sec. 3),

        L(z) = (1 − λ)·Σ|x − G(z)| + λ·Σ|f(x) − f(G(z))|

    from z₁ ~ N(0, I). G and f are frozen copies in eval mode, so images of one batch cannot
    influence one another, and the networks handed in are left alone.

    Args:
        generator: G, from ``(B, Z)`` to ``(B, C, H, W)``.
        features: f, from ``(B, C, H, W)`` to ``(B, ...)``.
        latent_size: Z, the length of a latent vector.
        settings: Number and size of the steps, λ and the seed of z₁.
    """

    def __init__(
        self,
        generator: nn.Module,
        features: nn.Module,
        latent_size: int,
        settings: SearchSettings,
    ) -> None:
        self.networks = FrozenNetworks(generator, features, torch.float32)
        self.latent_size = latent_size
        self.settings = settings
        descending = _DTYPES[settings.precision]
        self.descending = (
            self.networks
            if descending is torch.float32
            else FrozenNetworks(generator, features, descending)
        )

    def start(self, count: int, device: torch.device) -> torch.Tensor:
        """The starting latent vectors.

        Args:
            count: Number of images B.
            device: Where the search runs.

        Returns:
            ``(B, Z)`` float32: B copies of one draw, the same on every device.
        """
        noise = torch.Generator().manual_seed(self.settings.seed)
        first = torch.randn(1, self.latent_size, generator=noise)
        return first.repeat(count, 1).to(device)

    def __call__(self, images: torch.Tensor, progress: Progress = iter) -> SearchResult:
        """Search for every image of a batch at once.

        Args:
            images: ``(B, C, H, W)`` float32 in the generator's range; on the networks' device.
            progress: Passes the steps on and may show how many have been taken, as ``tqdm`` does.

        Returns:
            The latent vectors found, with their reconstructions and losses.
        """
        # Lightning evaluates in inference mode, whose tensors can never take part in autograd, and
        # in autocast where the trainer's precision asks for it; the search's is its own.
        with (
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            torch.autocast(images.device.type, enabled=False),
        ):
            images = images.detach().clone(memory_format=torch.channels_last)
            with torch.no_grad():
                features = self.networks.extract(images)
            latent = self._descend(images, features, progress)
            with torch.no_grad():
                reconstruction = self.networks.generate(latent)
                residual = sum_of_differences(images, reconstruction)
                discrimination = sum_of_differences(features, self.networks.extract(reconstruction))
        return SearchResult(
            latent,
            reconstruction,
            residual,
            discrimination,
            self._weigh(residual, discrimination),
        )

    def _descend(
        self,
        images: torch.Tensor,
        features: torch.Tensor,
        progress: Progress,
    ) -> torch.Tensor:
        networks = self.descending
        if networks is not self.networks:  # in bfloat16 f(x) is compared with f(G(z)) in bfloat16
            with torch.no_grad():
                features = networks.extract(images)
        latent = self.start(len(images), images.device).requires_grad_()
        optimizer = torch.optim.Adam([latent], lr=self.settings.learning_rate)
        for _ in progress(range(self.settings.steps)):
            reconstruction = networks.generate(latent)
            loss = self._weigh(
                sum_of_differences(images, reconstruction),
                sum_of_differences(features, networks.extract(reconstruction)),
            )
            # An image's loss depends on its own z only, so the sum's gradient holds each one's.
            (latent.grad,) = torch.autograd.grad(loss.sum(), latent)
            optimizer.step()
        return latent.detach()

    def _weigh(self, residual: torch.Tensor, discrimination: torch.Tensor) -> torch.Tensor:
        weight = self.settings.discrimination_weight
        return (1 - weight) * residual + weight * discrimination
