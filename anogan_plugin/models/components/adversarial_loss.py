# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Adversarial losses: what D and G minimise while a GAN learns the good images."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class AdversarialLoss(NamedTuple):
    """The two halves of one GAN objective, on ``(B,)`` logits; each returns a scalar."""

    discriminator: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    generator: Callable[[torch.Tensor], torch.Tensor]


def _bce_discriminator(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _bce_generator(fake: torch.Tensor) -> torch.Tensor:
    return F.softplus(-fake).mean()


def _hinge_discriminator(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _linear_generator(fake: torch.Tensor) -> torch.Tensor:
    return -fake.mean()


def _wasserstein_discriminator(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return fake.mean() - real.mean()


def r1_penalty(images: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Squared slope of D at real images, ½·E‖∇ₓD(x)‖² (Mescheder et al. 2018, R1 without its γ).

    Args:
        images: ``(B, C, H, W)`` real images that require a gradient.
        logits: ``(B,)`` D's logits of them, in whose graph the images are.

    Returns:
        Scalar that can be differentiated with respect to D's weights.
    """
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slope.square().flatten(1).sum(1).mean() / 2


def gradient_penalty(
    discriminator: nn.Module, images: torch.Tensor, fake: torch.Tensor
) -> torch.Tensor:
    """How far D's slope is from 1 between real and generated images (Gulrajani et al. 2017, eq. 3).

    E(‖∇D(x̂)‖₂ − 1)² at x̂ = ε·x + (1 − ε)·G(z) with one ε ~ U(0, 1) per image, without its λ.

    Args:
        discriminator: D, from ``(B, C, H, W)`` to ``(B,)`` logits.
        images: ``(B, C, H, W)`` real images.
        fake: ``(B, C, H, W)`` generated images.

    Returns:
        Scalar that can be differentiated with respect to D's weights.
    """
    share = torch.rand(len(images), 1, 1, 1, device=images.device)
    between = torch.lerp(fake.detach().float(), images.detach(), share).requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


ADVERSARIAL_LOSSES = {
    # -log D(x) - log(1 - D(G(z))) with the non-saturating -log D(G(z)) (Goodfellow et al. 2014).
    "bce": AdversarialLoss(_bce_discriminator, _bce_generator),
    # max(0, 1 - D(x)) + max(0, 1 + D(G(z))) with -D(G(z)) (Lim & Ye 2017, Miyato et al. 2018).
    "hinge": AdversarialLoss(_hinge_discriminator, _linear_generator),
    # E D(G(z)) - E D(x) with -E D(G(z)) (Arjovsky et al. 2017); needs a penalty on D's slope.
    "wasserstein": AdversarialLoss(_wasserstein_discriminator, _linear_generator),
}


def discriminator_loss(
    discriminator: nn.Module,
    images: torch.Tensor,
    fake: torch.Tensor,
    adversarial_loss: AdversarialLoss,
    r1_weight: float,
    slope_weight: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """What D minimises in one step, and how well it tells real from generated.

    Args:
        discriminator: D, from ``(B, C, H, W)`` to ``(B,)`` logits.
        images: ``(B, C, H, W)`` good images.
        fake: ``(B, C, H, W)`` generated images, detached.
        adversarial_loss: The GAN's objective.
        r1_weight: γ of the R1 penalty in this step; 0 leaves it out.
        slope_weight: λ of WGAN-GP's gradient penalty; 0 leaves it out.

    Returns:
        The scalar loss, and the :func:`ranking_accuracy`.
    """
    images = images.detach().requires_grad_(r1_weight > 0)
    real_logits, fake_logits = discriminator(images), discriminator(fake)
    loss = adversarial_loss.discriminator(real_logits, fake_logits)
    if r1_weight > 0:
        loss = loss + r1_weight * r1_penalty(images, real_logits)
    if slope_weight > 0:
        loss = loss + slope_weight * gradient_penalty(discriminator, images, fake)
    return loss, ranking_accuracy(real_logits, fake_logits)


def ranking_accuracy(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """How well D tells real from generated, whatever the zero of its logits.

    Args:
        real: ``(B,)`` logits.
        fake: ``(B,)`` logits.

    Returns:
        Share of the pairs of a real and a generated one in which the real one's logit is higher:
        1 where D tells all apart, 0.5 where it cannot, the balance that training aims at.
    """
    return (real[:, None] > fake[None, :]).float().mean()
