# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Adam as plain operations, for each latent vector by itself (Kingma & Ba 2015, algorithm 1)."""

from typing import NamedTuple

import torch

from anogan_plugin.latent_search.settings import SearchSettings

_EPSILON = 1e-8


class Moments(NamedTuple):
    """B latent vectors and what Adam remembers of their gradients, ``(B, Z)`` float32 each.

    Attributes:
        latent: The latent vectors.
        mean: The first moment.
        square: The second moment.
    """

    latent: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor

    @classmethod
    def starting(cls, latent: torch.Tensor) -> "Moments":
        """Latent vectors before their first step."""
        return cls(latent, torch.zeros_like(latent), torch.zeros_like(latent))


def step_scales(taken: torch.Tensor, settings: SearchSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """What Adam's next step is scaled by, which depends on nothing but the steps taken.

    Args:
        taken: ``(B,)`` int64 steps taken so far.
        settings: Step sizes and decays.

    Returns:
        ``(B,)`` float64 each: αₜ / (1 − β₁ᵗ) and √(1 − β₂ᵗ), t the step to come.
    """
    first, second = settings.betas
    step = (taken + 1).double()
    return settings.step_sizes(taken) / (1 - first**step), (1 - second**step).sqrt()


def adam_step(
    moments: Moments,
    gradient: torch.Tensor,
    scales: tuple[torch.Tensor, torch.Tensor],
    betas: tuple[float, float],
) -> Moments:
    """Take one step.

    Args:
        moments: Before it.
        gradient: ``(B, Z)`` float32 gradients at the latent vectors.
        scales: :func:`step_scales` as ``(B, 1)`` float32, or ``(1,)`` where all have taken as many.
        betas: Adam's decays.

    Returns:
        After it, in new tensors.
    """
    rate, correction = scales
    mean = moments.mean.lerp(gradient, 1 - betas[0])
    square = (moments.square * betas[1]).addcmul(gradient, gradient, value=1 - betas[1])
    latent = moments.latent - rate * mean / (square.sqrt() / correction + _EPSILON)
    return Moments(latent, mean, square)
