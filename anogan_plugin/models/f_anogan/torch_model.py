# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN's networks, loss and score, without Lightning (Schlegl et al. 2019)."""

from collections.abc import Callable

import torch
from torch import nn

from anogan_plugin.latent_search import Progress, SearchResult, SearchSettings
from anogan_plugin.latent_search.frozen import FrozenNetworks, freeze
from anogan_plugin.models.components.dcgan import Encoder
from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.image_scores import (
    ImageScores,
    check_image_score,
    largest_local_mean,
    reconstruction_scores,
    residual_map,
)
from anogan_plugin.models.components.searched_gan import SearchedGan
from anogan_plugin.models.components.standardised_residual import StandardisedResidual
from anogan_plugin.models.components.weight_cache import WeightCache
from anogan_plugin.models.f_anogan.loss import izi_f, mean_square

IMAGE_SCORES = ("paper", "local", "standardised")


class FAnoGANModel(SearchedGan):
    """A DCGAN and an encoder that maps an image to the latent vector that the GAN makes it from.

    Wherever E is trained or an image is scored, G and D are frozen copies in eval mode: nothing but
    E's own weights depends on the batch, and nothing changes G and D.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G, D and E.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        discrimination_weight: κ, the weight of the features in loss and score, at least 0.
        search: Settings of the latent search that refines E(x); with 0 steps there is none.
        image_score: ``"paper"`` for A(x), ``"local"`` for the largest local mean of the residual,
            ``"standardised"`` for the most unusual spot, see :class:`StandardisedResidual`.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        discriminator_norm: str,
        discrimination_weight: float,
        search: SearchSettings,
        image_score: str,
    ) -> None:
        super().__init__(image_size, channels, latent_size, width, discriminator_norm, search)
        # With BatchNorm in E, held-out good images were left a larger residual.
        self.encoder = Encoder(image_size, channels, latent_size, width, norm="none")
        self.encoder.to(memory_format=torch.channels_last)
        check_at_least(0, discrimination_weight=discrimination_weight)
        self.standardised = StandardisedResidual(image_size, channels)
        self.discrimination_weight = discrimination_weight
        self.image_score = check_image_score(image_score, IMAGE_SCORES)
        self._frozen_encoder: WeightCache[nn.Module] = WeightCache()

    def encoder_loss(self, images: torch.Tensor) -> torch.Tensor:
        """What E minimises, ``izi_f`` (Schlegl et al. 2019).

        Args:
            images: ``(B, C, H, W)`` good images in [-1, 1].

        Returns:
            Scalar whose gradient reaches E alone.
        """
        frozen = self.latent_search().exact.networks
        reconstruction = frozen.generate(self.encoder(images))
        differences = _differences(frozen, images, reconstruction)
        return izi_f(*differences, self.discrimination_weight).mean()

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """E(x) in eval mode, whatever mode the encoder is in.

        Args:
            images: ``(B, C, H, W)`` float32 in [-1, 1].

        Returns:
            ``(B, Z)`` float32 latent vectors.
        """
        encoder = self._frozen_encoder.get(lambda: freeze(self.encoder), self.encoder)
        with torch.no_grad():
            return encoder(images)

    def encode_and_refine(
        self, images: torch.Tensor, progress: Progress | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """E(x), or what the latent search makes of it where it has steps.

        Args:
            images: ``(B, C, H, W)`` float32 in [-1, 1].
            progress: Called after every step of the search with how far it is.

        Returns:
            ``(B, Z)`` latent vectors and ``(B,)`` steps taken.
        """
        latent = self.encode(images)
        if self.search.steps == 0:
            return latent, torch.zeros(images.shape[0])  # len() would fix the number in a graph
        found = self.latent_search()(images, progress=progress, start=latent)
        return found.latent, found.steps

    def reconstruct(self, images: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """G(z) in eval mode, with z from :meth:`encode_and_refine`.

        Args:
            images: ``(B, C, H, W)`` float32 in [-1, 1].
            progress: As there.

        Returns:
            ``(B, C, H, W)`` in [-1, 1].
        """
        with torch.no_grad():
            latent, _ = self.encode_and_refine(images, progress)
            return self.latent_search().exact.networks.generate(latent)

    def score(self, images: torch.Tensor, progress: Progress | None = None) -> ImageScores:
        """Encode, refine by the latent search if it has steps, and score what is left.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].
            progress: Called after every step of the search with how far it is.

        Returns:
            Image scores, with the parts ``paper`` A(x) = A_R(x) + κ·A_D(x), ``local``, and the
            ``residual`` A_R, the ``discrimination`` A_D and the ``steps`` of the search; the
            anomaly map is |x − G(z)|, z = E(x) or what the search made of it.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images).float()
        # Scores are float32, whatever precision the trainer evaluates in.
        with torch.autocast(images.device.type, enabled=False):
            return self._scores(images, *self.encode_and_refine(images, progress))

    @property
    def start(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The encoder."""
        return self.encode

    def scores_of(self, images: torch.Tensor, found: SearchResult) -> ImageScores:
        """See :meth:`score`."""
        return self._scores(images, found.latent, found.steps)

    def _scores(
        self, images: torch.Tensor, latent: torch.Tensor, steps: torch.Tensor
    ) -> ImageScores:
        frozen = self.latent_search().exact.networks
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            reconstruction = frozen.generate(latent)
            residual, discrimination = _differences(frozen, images, reconstruction)
        anomaly_map = residual_map(images, reconstruction)
        parts = {
            "paper": izi_f(residual, discrimination, self.discrimination_weight),
            "local": largest_local_mean(anomaly_map),
            "residual": residual,
            "discrimination": discrimination,
            "steps": steps.to(images.device),
        }
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )


def _differences(
    frozen: FrozenNetworks, images: torch.Tensor, reconstruction: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A_R and A_D, ``(B,)`` each."""
    return (
        mean_square(images, reconstruction),
        mean_square(frozen.extract(images), frozen.extract(reconstruction)),
    )
