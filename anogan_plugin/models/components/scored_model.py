# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What every torch model of this package offers, without Lightning."""

from abc import abstractmethod

import torch
from anomalib.data import InferenceBatch
from torch import nn

from anogan_plugin.models.components.image_scores import ImageScores


class ScoredModel(nn.Module):
    """Scores images, by itself or as anomalib calls it.

    Attributes:
        channels: 1 for grey, 3 for colour; set by the model.
    """

    channels: int

    @abstractmethod
    def score(self, images: torch.Tensor) -> ImageScores:
        """Score images.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores, their parts, anomaly maps, and reconstructions where there are any.

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
