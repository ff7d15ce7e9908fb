# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ConvAutoencoder's network and score, without Lightning (Bergmann et al. 2018)."""

import torch

from anogan_plugin.models.components.autoencoder import Autoencoder
from anogan_plugin.models.components.image_scores import (
    RESIDUAL_SCORES,
    ImageScores,
    check_image_score,
    reconstruction_scores,
    residual_scores,
)
from anogan_plugin.models.conv_autoencoder.loss import RECONSTRUCTION_LOSSES, check_loss


class ConvAutoencoderModel(Autoencoder):
    """An autoencoder whose loss per pixel is its anomaly map.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in the encoder and in the decoder.
        loss: ``"l2"``, ``"l1"`` or ``"ssim"``.
        image_score: ``"sum"``, ``"mean"``, ``"local"`` or ``"standardised"``.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        loss: str,
        image_score: str,
    ) -> None:
        super().__init__(image_size, channels, latent_size, width, code_size=latent_size)
        check_loss(loss)
        self.loss = loss
        self.image_score = check_image_score(image_score, RESIDUAL_SCORES)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """x̂ = G(E(x)).

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``(B, C, H, W)`` float32 in [-1, 1].
        """
        return self.decoder(self.encoder(images)).float()

    def training_losses(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """The mean over all pixels of the loss per pixel.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``loss``, a scalar.
        """
        return {"loss": self.anomaly_map(images, self.reconstruct(images)).mean()}

    def anomaly_map(self, images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
        """The loss per pixel.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].
            reconstruction: The same shape and range.

        Returns:
            ``(B, H, W)``: (x − x̂)², |x − x̂| or 1 − SSIM(x, x̂), averaged over the channels.
        """
        return RECONSTRUCTION_LOSSES[self.loss](images, reconstruction)

    def score(self, images: torch.Tensor) -> ImageScores:
        """Score what the reconstruction leaves over.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, with the parts ``sum``, ``mean`` and ``local`` of the anomaly map, see
            :meth:`anomaly_map`, and ``standardised`` where the model is trained.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        reconstruction = self.reconstruct(images)
        anomaly_map = self.anomaly_map(images, reconstruction)
        parts = residual_scores(anomaly_map)
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )
