# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Adversarial losses: what D and G minimise while the GAN learns the good images.

The loss of the latent search is :mod:`anogan_plugin.latent_search`'s.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
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


ADVERSARIAL_LOSSES = {
    # -log D(x) - log(1 - D(G(z))) with the non-saturating -log D(G(z)) (Goodfellow et al. 2014).
    "bce": AdversarialLoss(_bce_discriminator, _bce_generator),
    # max(0, 1 - D(x)) + max(0, 1 + D(G(z))) with -D(G(z)) (Lim & Ye 2017, Miyato et al. 2018).
    "hinge": AdversarialLoss(_hinge_discriminator, _linear_generator),
}
