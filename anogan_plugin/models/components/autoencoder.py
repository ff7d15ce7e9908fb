# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What autoencoders have in common: an encoder, a decoder, a score of what is left over."""

from abc import abstractmethod

import torch

from anogan_plugin.models.components.dcgan import Encoder, Generator
from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.scored_model import ScoredModel
from anogan_plugin.models.components.standardised_residual import StandardisedResidual


class Autoencoder(ScoredModel):
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
