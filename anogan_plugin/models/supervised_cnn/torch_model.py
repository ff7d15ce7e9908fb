# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The classifier and its class-activation map, without Lightning."""

import torch
from torch import nn
from torch.nn import functional as F

from anogan_plugin.models.components.dcgan import (
    downsampling_layers,
    initialise,
    layer_widths,
)
from anogan_plugin.models.components.image_scores import ImageScores, image_scores
from anogan_plugin.models.components.scored_model import ScoredModel


class SupervisedCNNModel(ScoredModel):
    """Stride-2 convolutions with BatchNorm to a 4 x 4 map, and one logit.

    The logit is linear in the 4 x 4 cells, each with weights of its own, as a part always lies in
    the same place. So every cell has a share in it:

        logit(x) = Σ_c w_c·f_c(x) + b = mean_c (16·w_c·f_c(x) + b)

    The cells' 16·w_c·f_c + b are the anomaly map (class-activation map, Zhou et al. 2016).

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        width: Channels of the first layer; deeper layers have up to eight times this.
        dropout: Share of the features that a training step leaves out, in [0, 1).

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    def __init__(self, image_size: int, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            msg = f"dropout must be in [0, 1), got {dropout}"
            raise ValueError(msg)
        self.features = downsampling_layers(image_size, channels, width, "batch")
        self.dropout = nn.Dropout(dropout)
        self.logit = nn.Conv2d(layer_widths(image_size, width)[-1], 1, 4)
        initialise(self, "batch")
        self.to(memory_format=torch.channels_last)  # faster convolutions, on CPU and CUDA
        self.channels = channels

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Judge images, as in training.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``(B,)`` float32, positive for "defective".
        """
        return self.logit(self.dropout(self.features(images))).flatten().float()

    def score(self, images: torch.Tensor) -> ImageScores:
        """Judge images, and say where the verdict comes from.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores: the logit. The anomaly map is the share of each of the 4 x 4 cells in it,
            enlarged; its mean is the logit. There is no reconstruction.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        features = self.features(self.images_of(images))
        shares = (features * self.logit.weight).sum(1, keepdim=True).float()
        cells = shares * shares[0].numel() + self.logit.bias
        # Without align_corners a whole enlargement keeps the mean.
        anomaly_map = F.interpolate(cells, images.shape[-2:], mode="bilinear")[:, 0]
        return image_scores({"logit": cells.mean((1, 2, 3))}, "logit", anomaly_map)
