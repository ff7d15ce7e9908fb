# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""EfficientGAN's networks and score, without Lightning (Zenati et al. 2018)."""

import torch
from torch.nn import functional as F

from anogan_plugin.models.components.bidirectional_gan import (
    BidirectionalGAN,
    BidirectionalSettings,
    Game,
)
from anogan_plugin.models.components.image_scores import (
    ImageScores,
    check_image_score,
    largest_local_mean,
    reconstruction_scores,
    residual_map,
)
from anogan_plugin.models.components.joint_discriminator import JointDiscriminator
from anogan_plugin.models.components.modes import eval_mode

IMAGE_SCORES = ("paper", "local", "standardised")
DISCRIMINATIONS = ("features", "cross_entropy")


class EfficientGANModel(BidirectionalGAN):
    """A BiGAN, and the score of what it cannot reconstruct.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        settings: Sizes and norm of the networks.
        discrimination: L_D in the score: ``"features"`` or ``"cross_entropy"``.
        discrimination_weight: λ in [0, 1].
        image_score: ``"paper"`` for A(x), ``"local"`` for the largest local mean of the residual,
            ``"standardised"`` for the most unusual spot, see :class:`StandardisedResidual`.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    discriminator: JointDiscriminator

    def __init__(
        self,
        image_size: int,
        channels: int,
        settings: BidirectionalSettings,
        discrimination: str,
        discrimination_weight: float,
        image_score: str,
    ) -> None:
        super().__init__(image_size, channels, settings)
        if discrimination not in DISCRIMINATIONS:
            msg = f"discrimination must be one of {DISCRIMINATIONS}, got {discrimination!r}"
            raise ValueError(msg)
        if not 0 <= discrimination_weight <= 1:
            msg = f"discrimination_weight must be in [0, 1], got {discrimination_weight}"
            raise ValueError(msg)
        self.discriminator = JointDiscriminator(
            image_size,
            channels,
            settings.latent_size,
            settings.width,
            settings.discriminator_norm,
            settings.leak,
            settings.dropout,
        )
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.discrimination = discrimination
        self.discrimination_weight = discrimination_weight
        self.image_score = check_image_score(image_score, IMAGE_SCORES)

    def games(self, images: torch.Tensor, latent: torch.Tensor) -> list[Game]:
        """BiGAN's one game: (x, E(x)) is real, (G(z), z) is fake.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].
            latent: ``(B, latent_size)`` from N(0, I).

        Returns:
            The game.
        """
        real = (images, self.encoder(images))
        return [Game(self.discriminator, real, (self.generator(latent), latent))]

    def score(self, images: torch.Tensor) -> ImageScores:
        """Reconstruct images and score what is left.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, with the parts ``paper`` A(x), ``local``, the ``residual``
            Σ|x − G(E(x))| and both choices of L_D; the anomaly map is |x − G(E(x))|.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        with eval_mode(self):
            code = self.encoder(images)
            reconstruction = self.generator(code)
            features = self.discriminator.features(images, code)
            features_of_reconstruction = self.discriminator.features(reconstruction, code)
            logits = self.discriminator.judge(features)
        anomaly_map = residual_map(images, reconstruction)
        parts = {
            "residual": (images - reconstruction).abs().sum((1, 2, 3)),
            "features": (features - features_of_reconstruction).abs().sum(1),
            "cross_entropy": F.softplus(-logits),
            "local": largest_local_mean(anomaly_map),
        }
        parts["paper"] = torch.lerp(
            parts["residual"], parts[self.discrimination], self.discrimination_weight
        )
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )
