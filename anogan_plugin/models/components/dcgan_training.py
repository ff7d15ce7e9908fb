# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The adversarial training of a DCGAN, for every model that has one."""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from anogan_plugin.models.components.adversarial_loss import (
    ADVERSARIAL_LOSSES,
    discriminator_loss,
)
from anogan_plugin.models.components.gan_settings import GanSettings
from anogan_plugin.models.components.held_out import fixed_latent, searched_residual
from anogan_plugin.models.components.network_training import NetworkTraining

R1_INTERVAL = 8
"""The R1 penalty comes every eighth step with eight times its weight (Karras et al. 2020)."""


class DcganTraining(NetworkTraining):
    """Trains ``self.model.generator`` and ``self.model.discriminator`` against each other.

    The model's generator is a moving average; the one that the optimizer moves is
    ``self.trained_generator``. A model calls :meth:`set_up_gan` when its networks are built.
    """

    if TYPE_CHECKING:
        model: Any

    def set_up_gan(self, settings: GanSettings, precision: str) -> None:
        """Keep how the GAN is trained.

        Args:
            settings: One of the model's presets.
            precision: As :meth:`NetworkTraining.set_up_training` has it.
        """
        self.set_up_training(precision, settings.ema_decay)
        self.settings = settings
        self.adversarial_loss = ADVERSARIAL_LOSSES[settings.adversarial_loss]
        self.trained_generator = copy.deepcopy(self.model.generator)
        self.model.generator.requires_grad_(False)

    def gan_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D and for G.

        Returns:
            The optimizers of D and of G, in this order.
        """
        rate, betas = self.settings.learning_rate, self.settings.betas
        return [
            torch.optim.Adam(network.parameters(), rate, betas, fused=True)
            for network in (self.model.discriminator, self.trained_generator)
        ]

    def moving_averages(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """G's.

        Yields:
            The generator that is scored with, and the one in training.
        """
        yield self.model.generator, self.trained_generator

    def train_gan(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Update D, then, every ``critic_steps`` updates, G.

        Args:
            images: ``(B, C, H, W)`` good images in [-1, 1].

        Returns:
            The losses, and D's :func:`ranking_accuracy`.
        """
        latent = torch.randn(len(images), self.settings.latent_size, device=images.device)
        with self.autocast(images.device):
            fake = self.trained_generator(latent)
        loss_of_d, accuracy = self._update_discriminator(images, fake.detach())
        losses = {"discriminator_loss": loss_of_d, "discriminator_accuracy": accuracy}
        if (self.updates + 1) % self.settings.critic_steps == 0:
            losses["generator_loss"] = self._update_generator(fake)
        return losses

    def _update_discriminator(
        self, images: torch.Tensor, fake: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        discriminator = self.model.discriminator.requires_grad_(True)
        due = self.updates % R1_INTERVAL == 0
        r1_weight = R1_INTERVAL * self.settings.r1_weight if due else 0.0
        with self.autocast(images.device):
            loss, accuracy = discriminator_loss(
                discriminator,
                images,
                fake,
                self.adversarial_loss,
                r1_weight,
                self.settings.slope_weight,
            )
        return self.descend(0, loss), accuracy

    def _update_generator(self, fake: torch.Tensor) -> torch.Tensor:
        discriminator = self.model.discriminator.requires_grad_(False)
        with self.autocast(fake.device):
            loss = self.adversarial_loss.generator(discriminator(fake))
        return self.descend(1, loss)

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """What G makes of latent vectors that are the same every time.

        Args:
            images: ``(B, C, H, W)`` real images; only their number counts.

        Returns:
            ``(B, C, H, W)`` generated images.
        """
        latent = fixed_latent(len(images), self.settings.latent_size, images.device)
        return self.model.generator(latent)

    def held_out_residual(self, images: torch.Tensor) -> float:
        """How well G covers good images that it never saw: what a short search leaves of them.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].

        Returns:
            Mean |x − G(z)| per pixel, in grey levels of [-1, 1].
        """
        return searched_residual(self.model.generator, images, self.settings.latent_size)
