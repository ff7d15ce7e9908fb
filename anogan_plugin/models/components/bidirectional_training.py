# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The adversarial training of a GAN with an encoder, for every model that has one."""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from anogan_plugin.models.components.adversarial_loss import ADVERSARIAL_LOSSES, ranking_accuracy
from anogan_plugin.models.components.bidirectional_gan import (
    BidirectionalSettings,
    Game,
    Pair,
)
from anogan_plugin.models.components.dcgan_training import R1_INTERVAL
from anogan_plugin.models.components.held_out import fixed_latent
from anogan_plugin.models.components.image_scores import residual_map
from anogan_plugin.models.components.modes import eval_mode
from anogan_plugin.models.components.network_training import NetworkTraining

_told_apart = ADVERSARIAL_LOSSES["bce"].discriminator


def discriminators_loss(games: list[Game], r1_weight: float) -> tuple[torch.Tensor, torch.Tensor]:
    """What the discriminators minimise in one step: Σ −log D(real) − log(1 − D(fake)).

    Args:
        games: Pairs of each discriminator; no gradient goes into them.
        r1_weight: γ of the R1 penalty in this step; 0 leaves it out.

    Returns:
        The scalar loss, and the :func:`ranking_accuracy` of the first discriminator.
    """
    losses, accuracies = [], []
    for discriminator, real, fake in games:
        real = _detached(real, requires_grad=r1_weight > 0)
        real_logits, fake_logits = discriminator(*real), discriminator(*_detached(fake))
        losses.append(_told_apart(real_logits, fake_logits))
        accuracies.append(ranking_accuracy(real_logits, fake_logits))
        if r1_weight > 0:
            losses.append(r1_weight * _pair_slope(real, real_logits))
    return torch.stack(losses).sum(), accuracies[0]


def swapped_loss(games: list[Game]) -> torch.Tensor:
    """What G and E minimise: the same losses with real and fake swapped.

    −log(1 − D(x, E(x))) − log D(G(z), z) and, where ALAD has them, −log D(x, G(E(x))) and
    −log D(z, E(G(z))). Pairs that neither G nor E has made, as (x, x), are left out: they have
    no gradient.

    Args:
        games: Pairs of each discriminator, in the graphs of G and E.

    Returns:
        Scalar.
    """
    losses = []
    for discriminator, real, fake in games:
        losses.append(nn.functional.softplus(-discriminator(*fake)).mean())
        if any(part.requires_grad for part in real):
            losses.append(nn.functional.softplus(discriminator(*real)).mean())
    return torch.stack(losses).sum()


def _detached(pair: Pair, *, requires_grad: bool = False) -> Pair:
    first, second = (part.detach().requires_grad_(requires_grad) for part in pair)
    return first, second


def _pair_slope(pair: Pair, logits: torch.Tensor) -> torch.Tensor:
    """R1 for a pair: ½·E‖∇D(a, b)‖², the slope with respect to both (Mescheder et al. 2018)."""
    slopes = torch.autograd.grad(logits.sum(), pair, create_graph=True)
    return torch.stack([slope.square().flatten(1).sum(1).mean() for slope in slopes]).sum() / 2


@torch.no_grad()
def _iterate_spectral_norms(average: nn.Module) -> None:
    """Take one power iteration for each weight: means of singular vectors are not singular."""
    for module in average.modules():
        if is_parametrized(module, "weight"):
            module.train()
            _ = module.weight  # computing it in training mode is the iteration


class BidirectionalTraining(NetworkTraining):
    """Trains G and E of ``self.model``, a :class:`BidirectionalGAN`, against its discriminators.

    All networks of ``self.model`` are moving averages, as in the authors' code, D included, since
    its features are part of the score; the optimizers move ``self.trained``. A model calls
    :meth:`set_up_bidirectional` when its networks are built.
    """

    if TYPE_CHECKING:
        model: Any

    def set_up_bidirectional(self, settings: BidirectionalSettings, precision: str) -> None:
        """Keep how the GAN is trained.

        Args:
            settings: One of the model's presets.
            precision: As :meth:`NetworkTraining.set_up_training` has it.
        """
        self.set_up_training(precision, settings.ema_decay)
        self.settings = settings
        self.trained = copy.deepcopy(self.model)
        self.model.requires_grad_(False)

    def bidirectional_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for the discriminators and for G and E.

        Returns:
            The optimizers, in this order.
        """
        rate, betas = self.settings.learning_rate, self.settings.betas
        networks = (
            [self.trained.discriminator],
            [self.trained.generator, self.trained.encoder],
        )
        return [
            torch.optim.Adam(nn.ModuleList(players).parameters(), rate, betas, fused=True)
            for players in networks
        ]

    def moving_averages(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """All networks.

        Yields:
            Those that are scored with, and those in training.
        """
        yield self.model, self.trained

    def train_bidirectional(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Update the discriminators, then G and E together, on the same pairs.

        Args:
            images: ``(B, C, H, W)`` good images in [-1, 1].

        Returns:
            The losses, and D's :func:`ranking_accuracy`.
        """
        latent = torch.randn(len(images), self.settings.latent_size, device=images.device)
        due = self.updates % R1_INTERVAL == 0
        r1_weight = R1_INTERVAL * self.settings.r1_weight if due else 0.0
        self.trained.discriminator.requires_grad_(True)
        with self.autocast(images.device):
            games = self.trained.games(images, latent)
            loss, accuracy = discriminators_loss(games, r1_weight)
        losses = {"discriminator_loss": self.descend(0, loss), "discriminator_accuracy": accuracy}
        self.trained.discriminator.requires_grad_(False)
        with self.autocast(images.device):
            loss = swapped_loss(games)
            if self.settings.reconstruction_weight > 0:
                residual = self._encoders_residual(images, games[0].real[1])
                loss = loss + self.settings.reconstruction_weight * residual
                losses["reconstruction_loss"] = residual.detach()
        losses["generator_loss"] = self.descend(1, loss)
        return losses

    def end_update(
        self, losses: dict[str, torch.Tensor], batch_size: int
    ) -> dict[str, torch.Tensor]:
        """As :meth:`NetworkTraining.end_update`, with spectral norms that are the averages' own.

        Args:
            losses: Scalars by name.
            batch_size: Number of images.

        Returns:
            The losses.
        """
        losses = super().end_update(losses, batch_size)
        _iterate_spectral_norms(self.model)
        return losses

    def _encoders_residual(self, images: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """Mean |x − G(E(x))| for E alone: through the moving average of G, which stays as it is."""
        self.model.generator.eval()  # its running statistics are averages, nothing else
        return residual_map(images, self.model.generator(code)).mean()

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """What G makes of latent vectors that are the same every time.

        Args:
            images: ``(B, C, H, W)`` real images; only their number counts.

        Returns:
            ``(B, C, H, W)`` generated images.
        """
        latent = fixed_latent(len(images), self.settings.latent_size, images.device)
        with eval_mode(self.model):
            return self.model.generator(latent)

    def held_out_residual(self, images: torch.Tensor) -> float:
        """How well G and E reconstruct good images that they never saw.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].

        Returns:
            Mean |x − G(E(x))| per pixel, in grey levels of [-1, 1].
        """
        with eval_mode(self.model):
            reconstruction = self.model.generator(self.model.encoder(images))
        return float(residual_map(images, reconstruction).mean())
