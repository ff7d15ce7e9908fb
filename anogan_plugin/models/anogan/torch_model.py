# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's networks and score, without Lightning (Schlegl et al. 2017; Nakaoka & Kimoto)."""

import torch
from anomalib.data import InferenceBatch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, Progress, SearchSettings
from anogan_plugin.models.components.dcgan import Discriminator, Generator
from anogan_plugin.models.components.image_scores import (
    ImageScores,
    check_image_score,
    image_scores,
    largest_local_mean,
    residual_map,
)

IMAGE_SCORES = ("paper", "local")


class AnoGANModel(nn.Module):
    """A DCGAN and the latent search that scores images by what it cannot reconstruct.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        search: Settings of the latent search.
        image_score: ``"paper"`` for A(x), ``"local"`` for the largest local mean of the residual.

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
        image_score: str,
    ) -> None:
        super().__init__()
        self.generator = Generator(image_size, channels, latent_size, width)
        self.discriminator = Discriminator(image_size, channels, width, discriminator_norm)
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.channels = channels
        self.search = search
        self.image_score = check_image_score(image_score, IMAGE_SCORES)
        self._latent_search: LatentSearch | None = None
        self._searched_state: object = None

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
        tensors = [t for n in (self.generator, self.discriminator) for t in n.state_dict().values()]
        # Sums, not versions or addresses: weights can be changed through .data and in inference
        # mode as well, where torch counts no versions.
        sums = [(float(t.sum()), float(t.abs().sum()), t.dtype, t.device) for t in tensors]
        state = (self.search, sums)
        if self._latent_search is None or self._searched_state != state:
            self._latent_search = LatentSearch(
                self.generator.as_chain(),
                self.discriminator.features,
                self.generator.latent_size,
                self.search,
            )
            self._searched_state = state
        return self._latent_search

    def score(self, images: torch.Tensor, progress: Progress | None = None) -> ImageScores:
        """Search the latent space and score what is left.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].
            progress: Called after every step of the search with how far it is.

        Returns:
            Image scores, with the parts ``paper`` A(x), ``local``, and the ``residual`` and
            ``discrimination`` that the paper's is made of; the anomaly map is |x − G(z_Γ)|.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        found = self.latent_search()(images, progress=progress)
        anomaly_map = residual_map(images, found.reconstruction)
        parts = {
            "paper": found.score,
            "local": largest_local_mean(anomaly_map),
            "residual": found.residual,
            "discrimination": found.discrimination,
        }
        return image_scores(parts, self.image_score, anomaly_map, found.reconstruction)

    def forward(self, images: torch.Tensor) -> InferenceBatch:
        """Score images the way anomalib calls a model.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``pred_score`` of shape ``(B,)`` and ``anomaly_map`` of shape ``(B, H, W)``.
        """
        scores = self.score(images)
        return InferenceBatch(pred_score=scores.pred_score, anomaly_map=scores.anomaly_map)
