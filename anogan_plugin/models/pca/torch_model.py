# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""PCA's reconstruction and score, without Lightning."""

import torch
from anomalib.models.components import DynamicBufferMixin

from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.image_scores import (
    RESIDUAL_SCORES,
    ImageScores,
    check_image_score,
    reconstruction_scores,
    residual_map,
    residual_scores,
)
from anogan_plugin.models.components.scored_model import ScoredModel
from anogan_plugin.models.components.standardised_residual import StandardisedResidual
from anogan_plugin.models.pca.likelihood import likeliest_count, principal_components

FEWEST_IMAGES = 4


class PCAModel(DynamicBufferMixin, ScoredModel):
    """x̂ = m + V Vᵀ(x − m), with m the mean of good images and V their principal components.

    Args:
        image_size: Side length of the square images in pixels.
        channels: 1 for grey, 3 for colour.
        components: Number of principal components; None chooses it by likelihood.
        image_score: ``"sum"``, ``"mean"``, ``"local"`` or ``"standardised"``.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    mean: torch.Tensor
    directions: torch.Tensor

    def __init__(
        self, image_size: int, channels: int, components: int | None, image_score: str
    ) -> None:
        super().__init__()
        check_at_least(1, image_size=image_size)
        if components is not None:
            check_at_least(0, components=components)
        self.channels, self.components = channels, components
        self.image_score = check_image_score(image_score, RESIDUAL_SCORES)
        pixels = channels * image_size**2
        self.register_buffer("mean", torch.zeros(pixels))
        self.register_buffer("directions", torch.zeros(0, pixels))
        self.standardised = StandardisedResidual(image_size, channels)

    @torch.no_grad()
    def fit(self, images: torch.Tensor) -> None:
        """Learn m and V.

        Args:
            images: ``(N, C, H, W)`` float32, good images in [-1, 1].

        Raises:
            ValueError: If there are fewer images than :data:`FEWEST_IMAGES`, or not more than
                components are asked for.
        """
        check_at_least(FEWEST_IMAGES, number_of_good_images=len(images))
        vectors = images.float().flatten(1)
        count = likeliest_count(vectors) if self.components is None else self.components
        if count >= len(vectors):
            msg = (
                f"components must be fewer than the {len(vectors)} good images trained on, got "
                f"{count}: give fewer components, or None to have their number chosen"
            )
            raise ValueError(msg)
        found = principal_components(vectors)
        self.mean, self.directions = found.mean, found.components[:count].clone()

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """x̂ = m + V Vᵀ(x − m).

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``(B, C, H, W)`` float32.
        """
        along = (images.float().flatten(1) - self.mean) @ self.directions.T
        return (self.mean + along @ self.directions).unflatten(1, images.shape[1:])

    def score(self, images: torch.Tensor) -> ImageScores:
        """Score what the principal components leave over.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, with the parts ``sum``, ``mean`` and ``local`` of |x − x̂|, and
            ``standardised`` where the model is trained.

        Raises:
            ValueError: If a score is NaN or infinite, because an image is.
        """
        images = self.images_of(images)
        reconstruction = self.reconstruct(images)
        anomaly_map = residual_map(images, reconstruction)
        parts = residual_scores(anomaly_map)
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )
