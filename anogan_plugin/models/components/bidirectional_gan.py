# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A GAN with an encoder: what EfficientGAN and ALAD share, without Lightning."""

import dataclasses
from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import nn

from anogan_plugin.models.components.dcgan import Encoder, Generator
from anogan_plugin.models.components.gan_settings import check_at_least, check_learning
from anogan_plugin.models.components.joint_discriminator import PairDiscriminator
from anogan_plugin.models.components.modes import eval_mode
from anogan_plugin.models.components.scored_model import ScoredModel
from anogan_plugin.models.components.standardised_residual import StandardisedResidual

Pair = tuple[torch.Tensor, torch.Tensor]


class Game(NamedTuple):
    """One discriminator, and the pairs ``(B, ...)`` that it learns to tell apart."""

    discriminator: PairDiscriminator
    real: Pair
    fake: Pair


@dataclasses.dataclass(frozen=True)
class BidirectionalSettings:
    """One way to train a bidirectional GAN.

    Args:
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G, E and D.
        discriminator_norm: ``"batch"`` or ``"none"``; E has BatchNorm in any case.
        normalised_codes: Whether BatchNorm gives E(x) mean 0 and variance 1 over good images, as
            z has, so that D need not teach E that.
        leak: Slope of LeakyReLU below 0, in D.
        dropout: Share of D's activations that is left out in training.
        r1_weight: γ of the R1 penalty on D at real pairs; 0 leaves it out.
        reconstruction_weight: Weight of the mean |x − G(E(x))| that E minimises too.
        ema_decay: Decay of the moving averages of all networks; 0 scores with the networks.
        learning_rate: Step size of Adam for all networks.
        betas: Adam's decays of the first and the second moment, for all networks.

    Raises:
        ValueError: If a value is out of its range.
    """

    latent_size: int
    width: int
    discriminator_norm: str
    normalised_codes: bool
    leak: float
    dropout: float
    r1_weight: float
    reconstruction_weight: float
    ema_decay: float
    learning_rate: float
    betas: tuple[float, float]

    def __post_init__(self) -> None:
        """Check the values."""
        if self.discriminator_norm not in ("batch", "none"):
            msg = f"discriminator_norm must be 'batch' or 'none', got {self.discriminator_norm!r}"
            raise ValueError(msg)
        check_at_least(1, latent_size=self.latent_size, width=self.width)
        check_at_least(
            0, r1_weight=self.r1_weight, reconstruction_weight=self.reconstruction_weight
        )
        if not 0 <= self.dropout < 1:
            msg = f"dropout must be in [0, 1), got {self.dropout}"
            raise ValueError(msg)
        check_learning(self.learning_rate, self.ema_decay)


class BidirectionalGAN(ScoredModel):
    """A generator of images and an encoder that learns to invert it.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        settings: Sizes and norm of the networks.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    discriminator: nn.Module
    """All discriminators, as one module."""

    def __init__(self, image_size: int, channels: int, settings: BidirectionalSettings) -> None:
        super().__init__()
        latent_size, width = settings.latent_size, settings.width
        self.generator = Generator(image_size, channels, latent_size, width)
        # BatchNorm as the papers have it, whatever D has.
        self.encoder = Encoder(image_size, channels, latent_size, width, "batch")
        if settings.normalised_codes:
            self.encoder.layers.append(nn.BatchNorm2d(latent_size, affine=False))
        self.channels = channels
        self.standardised = StandardisedResidual(image_size, channels)

    @abstractmethod
    def games(self, images: torch.Tensor, latent: torch.Tensor) -> list[Game]:
        """What the discriminators are trained on, one forward pass of G and E each.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].
            latent: ``(B, latent_size)`` from N(0, I).

        Returns:
            Of each discriminator the pairs; the first tells (x, E(x)) from (G(z), z).
        """

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """G(E(x)), whatever mode the networks are in.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            ``(B, C, H, W)`` in [-1, 1].
        """
        with eval_mode(self):
            return self.generator(self.encoder(images))
