# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What autoencoders have in common: an encoder, a decoder, a score of what is left over."""

from abc import abstractmethod

import torch
from anomalib.data import InferenceBatch
from torch import nn

from anogan_plugin.models.components.dcgan import Encoder, Generator
from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.image_scores import ImageScores
from anogan_plugin.models.components.standardised_residual import StandardisedResidual


class Autoencoder(nn.Module):
    """DCGAN's convolutions from an image to a code, and from a latent vector back.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in the encoder and in the decoder.
        code_size: Numbers that the encoder gives per image.

    Raises:
        ValueError: If a size is not supported.
    """

    def __init__(
        self, image_size: int, channels: int, latent_size: int, width: int, code_size: int
    ) -> None:
        super().__init__()
        check_at_least(1, latent_size=latent_size)
        self.encoder = Encoder(image_size, channels, code_size, width, "batch")
        self.decoder = Generator(image_size, channels, latent_size, width)
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.channels = channels
        self.standardised = StandardisedResidual(image_size, channels)

    @abstractmethod
    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, the same way every time.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            x̂ ``(B, C, H, W)`` float32 in [-1, 1].
        """

    @abstractmethod
    def training_losses(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """What training lowers.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Scalars by name: ``loss``, which is differentiated, and its terms.
        """

    @abstractmethod
    def score(self, images: torch.Tensor) -> ImageScores:
        """Score what the reconstruction leaves over.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, their parts, anomaly maps and reconstructions.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """

    def images_of(self, images: torch.Tensor) -> torch.Tensor:
        """Drop the channels that a grey image repeats.

        Args:
            images: ``(B, 3, H, W)``, or ``(B, C, H, W)`` already.

        Returns:
            ``(B, C, H, W)``.
        """
        return images[:, : self.channels]

    def forward(self, images: torch.Tensor) -> InferenceBatch:
        """Score images the way anomalib calls a model.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``pred_score`` of shape ``(B,)`` and ``anomaly_map`` of shape ``(B, H, W)``.
        """
        scores = self.score(images)
        return InferenceBatch(pred_score=scores.pred_score, anomaly_map=scores.anomaly_map)
