# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What models do alike inside anomalib that search a latent space."""

import torch

from anogan_plugin.models.components.image_scores import ImageScores
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.progress import search_progress


class SearchScoring(ImageScoring):
    """:class:`ImageScoring` where ``self.model`` is a :class:`SearchedGan`."""

    def score(self, images: torch.Tensor) -> ImageScores:
        """Score images, showing how far the search is.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            Their scores.
        """
        return self.model.score(images, search_progress(self.trainer))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstruct images as :meth:`score` does, showing how far the search is.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            ``(B, C, H, W)`` in [-1, 1].
        """
        return self.model.reconstruct(images, search_progress(self.trainer))
