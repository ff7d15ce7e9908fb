# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A DCGAN whose latent space can be searched, for every model that does so."""

from abc import abstractmethod
from collections.abc import Callable, Iterator

import torch

from anogan_plugin.latent_search import ImageSource, LatentSearch, SearchResult, SearchSettings
from anogan_plugin.models.components.dcgan import Discriminator, Generator
from anogan_plugin.models.components.image_scores import ImageScores
from anogan_plugin.models.components.scored_model import ScoredModel
from anogan_plugin.models.components.weight_cache import WeightCache


class SearchedGan(ScoredModel):
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

    def stream(self, images: ImageSource) -> Iterator[tuple[torch.Tensor, ImageScores]]:
        """Score any number of images in one search, whose batch is kept full.

        Args:
            images: ``(N, 3, H, W)`` or ``(N, C, H, W)`` float in [-1, 1], or a sequence of images
                without the first dimension, which may grow while it is read.

        Yields:
            Positions ``(B,)`` among the images and their scores, in the order in which their
            searches end.

        Raises:
            ValueError: If there are no images, or a score is NaN or infinite.
        """
        begun = _Begun(images, self._to_search)
        for found in self.latent_search().stream(begun, start=self.start):
            yield found.index, self.scores_of(begun.leave(found.index), found)

    def _to_search(self, image: torch.Tensor) -> torch.Tensor:
        weight = next(self.generator.parameters())
        return self.images_of(image[None])[0].to(weight.device, weight.dtype)

    @property
    def start(self) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """What gives the latent vectors to start from; None starts as the settings say."""
        return None

    @abstractmethod
    def scores_of(self, images: torch.Tensor, found: SearchResult) -> ImageScores:
        """What the search has found, as scores.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].
            found: Of these images.

        Returns:
            Their scores.
        """


class _Begun:
    """Images that remain at hand from the beginning of their search to its end."""

    def __init__(
        self, images: ImageSource, to_search: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        self._images = images
        self._to_search = to_search
        self._begun: dict[int, torch.Tensor] = {}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> torch.Tensor:
        if index not in self._begun:  # later steps ask for it again
            self._begun[index] = self._to_search(self._images[index])
        return self._begun[index]

    def leave(self, index: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._begun.pop(position) for position in index.tolist()])
