# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's networks and score, without Lightning (Schlegl et al. 2017; Nakaoka & Kimoto)."""

from collections.abc import Iterable

import torch

from anogan_plugin.latent_search import Progress, SearchResult, SearchSettings
from anogan_plugin.models.components.image_scores import (
    ImageScores,
    check_image_score,
    largest_local_mean,
    reconstruction_scores,
    residual_map,
)
from anogan_plugin.models.components.latent_distance import LatentDistance
from anogan_plugin.models.components.searched_gan import SearchedGan
from anogan_plugin.models.components.standardised_residual import StandardisedResidual

IMAGE_SCORES = ("paper", "local", "standardised", "distance")


class AnoGANModel(SearchedGan):
    """A DCGAN and the latent search that scores images by what it cannot reconstruct.

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        search: Settings of the latent search.
        image_score: ``"paper"`` for A(x), ``"local"`` for the largest local mean of the residual,
            ``"standardised"`` for the most unusual spot, see :class:`StandardisedResidual`,
            ``"distance"`` for how far z_Γ is from those of good images, see
            :class:`LatentDistance`.

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
        super().__init__(image_size, channels, latent_size, width, discriminator_norm, search)
        self.image_score = check_image_score(image_score, IMAGE_SCORES)
        if image_score != "distance" and search.guesses > 1:
            one = "refined" if image_score == "standardised" else "fast"
            msg = (
                f"image_score {image_score} measures what one search finds: give search {one}, or "
                "image_score distance, for which averaged is"
            )
            raise ValueError(msg)
        if image_score == "standardised" and search.map_steps == 0:
            msg = (
                "image_score standardised needs a search with steps in G's feature map, whose "
                "residuals it knows: give search refined, or preset inspection"
            )
            raise ValueError(msg)
        if image_score == "distance" and search.start == "random":
            msg = (
                "image_score distance needs a search that starts from a guess for each image, not "
                "from a random vector: give search fast, refined or averaged"
            )
            raise ValueError(msg)
        self.standardised = StandardisedResidual(image_size, channels)
        self.distance = LatentDistance(latent_size)

    @property
    def needs_search_of_good(self) -> bool:
        """Whether good images are searched when a training ends; with other scores it takes long.

        Returns:
            True for the searches and the scores that need it.
        """
        return self.search.map_steps > 0 or self.image_score == "distance"

    def fit_to_good(self, parts: Iterable[torch.Tensor], progress: Progress | None = None) -> None:
        """Learn what good images leave over, and where their latent vectors lie.

        Args:
            parts: Good images ``(B, C, H, W)`` in [-1, 1] each.
            progress: Called after every step of the search with how far it is.
        """
        residuals, latents = [], []
        for part in parts:
            found = self.latent_search()(part, progress=progress)
            residuals.append(part - found.reconstruction)
            latents.append(found.latent)
        self.standardised.fit(torch.cat(residuals))
        self.distance.fit(torch.cat(latents))

    def reconstruct(self, images: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """The nearest images that the search finds.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].
            progress: Called after every step of the search with how far it is.

        Returns:
            ``(B, C, H, W)`` in [-1, 1].
        """
        return self.latent_search()(images, progress=progress).reconstruction

    def score(self, images: torch.Tensor, progress: Progress | None = None) -> ImageScores:
        """Search the latent space and score what is left.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].
            progress: Called after every step of the search with how far it is.

        Returns:
            Image scores, with the parts ``paper`` A(x), ``local``, the ``residual`` and
            ``discrimination`` that the paper's is made of, the ``steps`` of the search, and, where
            the model was trained for them, ``standardised`` and ``distance``: by what the search
            that it was trained with finds for good images, also where this one is another. The
            anomaly map is |x − G(z_Γ)|, or the standardised one.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        return self.scores_of(images, self.latent_search()(images, progress=progress))

    def scores_of(self, images: torch.Tensor, found: SearchResult) -> ImageScores:
        """See :meth:`score`."""
        anomaly_map = residual_map(images, found.reconstruction)
        parts = {
            "paper": found.score,
            "local": largest_local_mean(anomaly_map),
            "residual": found.residual,
            "discrimination": found.discrimination,
            "steps": found.steps.to(images.device),
        }
        if self.distance.fitted:
            parts["distance"] = self.distance(found.latent.to(images.device))
        return reconstruction_scores(
            parts,
            self.image_score,
            anomaly_map,
            images,
            found.reconstruction,
            self.standardised,
        )
