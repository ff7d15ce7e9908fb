# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A DCGAN whose latent space can be searched, for every model that does so."""

import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchSettings
from anogan_plugin.models.components.dcgan import Discriminator, Generator
from anogan_plugin.models.components.weight_cache import WeightCache


class SearchedGan(nn.Module):
    """G, D, and the latent search through frozen copies of them.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        search: Settings of the latent search.

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
        search: SearchSettings,
    ) -> None:
        super().__init__()
        self.generator = Generator(image_size, channels, latent_size, width)
        self.discriminator = Discriminator(image_size, channels, width, discriminator_norm)
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.channels = channels
        self.search = search
        self._latent_search: WeightCache[LatentSearch] = WeightCache()

    def images_of(self, images: torch.Tensor) -> torch.Tensor:
        """Drop the channels that a grey image repeats.

        Args:
            images: ``(B, 3, H, W)``, or ``(B, C, H, W)`` already.

        Returns:
            ``(B, C, H, W)``.
        """
        return images[:, : self.channels]

    def latent_search(self) -> LatentSearch:
        """The search through the networks as they are now.

        Returns:
            The same object until a weight changes: freezing, and fitting a start, is done once.
        """
        return self._latent_search.get(
            lambda: LatentSearch(
                self.generator.as_chain(),
                self.discriminator.features,
                self.generator.latent_size,
                self.search,
            ),
            self.generator,
            self.discriminator,
            settings=self.search,
        )
