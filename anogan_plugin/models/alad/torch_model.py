# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ALAD's networks and scores, without Lightning (Zenati et al. 2018b)."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm as add_spectral_norm

from anogan_plugin.models.alad.presets import ALADSettings
from anogan_plugin.models.components.bidirectional_gan import BidirectionalGAN, Game
from anogan_plugin.models.components.image_scores import (
    ImageScores,
    check_image_score,
    largest_local_mean,
    reconstruction_scores,
    residual_map,
)
from anogan_plugin.models.components.joint_discriminator import (
    ImagePairDiscriminator,
    JointDiscriminator,
    LatentPairDiscriminator,
)
from anogan_plugin.models.components.modes import eval_mode

IMAGE_SCORES = ("features", "l1", "l2", "logits", "local", "standardised")


class Discriminators(nn.Module):
    """D_xz of images and latent vectors, D_xx and D_zz of one of them and its reconstruction.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        settings: Sizes and norm of the networks.
    """

    def __init__(self, image_size: int, channels: int, settings: ALADSettings) -> None:
        super().__init__()
        latent_size, width = settings.latent_size, settings.width
        norm, leak, dropout = settings.discriminator_norm, settings.leak, settings.dropout
        self.xz = JointDiscriminator(image_size, channels, latent_size, width, norm, leak, dropout)
        self.xx = ImagePairDiscriminator(image_size, channels, width, norm, leak, dropout)
        self.zz = LatentPairDiscriminator(latent_size, norm, leak, dropout)


class ALADModel(BidirectionalGAN):
    """A bidirectional GAN, and the scores of what it cannot reconstruct.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        settings: Sizes and norms of the networks.
        image_score: One of :data:`IMAGE_SCORES`.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    discriminator: Discriminators

    def __init__(
        self, image_size: int, channels: int, settings: ALADSettings, image_score: str
    ) -> None:
        super().__init__(image_size, channels, settings)
        self.discriminator = Discriminators(image_size, channels, settings)
        if settings.spectral_norm:
            for network in (self.encoder, *self.discriminator.children()):
                _add_spectral_norm(network)
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.image_score = check_image_score(image_score, IMAGE_SCORES)

    def games(self, images: torch.Tensor, latent: torch.Tensor) -> list[Game]:
        """ALAD's three games.

        Args:
            images: ``(B, C, H, W)`` x in [-1, 1].
            latent: ``(B, latent_size)`` z from N(0, I).

        Returns:
            (x, E(x)) against (G(z), z), (x, x) against (x, G(E(x))), (z, z) against (z, E(G(z))).
        """
        code, fake = self.encoder(images), self.generator(latent)
        return [
            Game(self.discriminator.xz, (images, code), (fake, latent)),
            Game(self.discriminator.xx, (images, images), (images, self.generator(code))),
            Game(self.discriminator.zz, (latent, latent), (latent, self.encoder(fake))),
        ]

    def score(self, images: torch.Tensor) -> ImageScores:
        """Reconstruct images and score what is left.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, with :data:`IMAGE_SCORES` as parts (``standardised`` where the model is
            trained); the anomaly map is |x − G(E(x))|.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        with eval_mode(self):
            reconstruction = self.generator(self.encoder(images))
            features = self.discriminator.xx.features(images, images)
            features_of_reconstruction = self.discriminator.xx.features(images, reconstruction)
            logits = self.discriminator.xx.judge(features_of_reconstruction)
        anomaly_map = residual_map(images, reconstruction)
        difference = (images - reconstruction).flatten(1)
        parts = {
            "features": (features - features_of_reconstruction).abs().sum(1),
            "l1": difference.abs().sum(1),
            "l2": difference.norm(dim=1),
            "logits": F.softplus(-logits),
            "local": largest_local_mean(anomaly_map),
        }
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )


def _add_spectral_norm(network: nn.Module) -> None:
    """To every layer but the last, as the authors do: codes and logits must not be bounded."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers[:-1]:
        add_spectral_norm(layer)
