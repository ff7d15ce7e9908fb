# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Image scores and anomaly maps from what a reconstruction leaves over."""

from typing import NamedTuple

import torch
from torch.nn import functional as F

_WINDOW_AT_64_PIXELS = 5


class ImageScores(NamedTuple):
    """Scores of a batch of B images.

    Attributes:
        pred_score: ``(B,)`` image scores, raw: higher is more anomalous, no fixed range.
        parts: ``(B,)`` each: ``paper``, the score as the model's paper has it, ``local``, and the
            terms that the paper's is made of.
        anomaly_map: ``(B, H, W)`` per pixel, higher is more anomalous.
        reconstruction: ``(B, C, H, W)`` in [-1, 1].
    """

    pred_score: torch.Tensor
    parts: dict[str, torch.Tensor]
    anomaly_map: torch.Tensor
    reconstruction: torch.Tensor


def residual_map(images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
    """|x − G(z)| per pixel, averaged over the channels.

    Args:
        images: ``(B, C, H, W)`` float.
        reconstruction: The same shape and range.

    Returns:
        ``(B, H, W)``, at least 0, in grey levels of the images' range.
    """
    return (images - reconstruction).abs().mean(1)


def largest_local_mean(anomaly_map: torch.Tensor) -> torch.Tensor:
    """The largest mean of an anomaly map in a square window that slides over the image.

    A short fill is small and local; the sum over the whole image adds to it what the generator
    misses everywhere else. The window is 5 x 5 at 64 pixels and grows with the image.

    Args:
        anomaly_map: ``(B, H, W)`` float.

    Returns:
        ``(B,)`` scores in the units of the map.

    Example:
        >>> anomaly_map = torch.zeros(1, 64, 64)
        >>> anomaly_map[0, 10:15, 20:25] = 1.0
        >>> largest_local_mean(anomaly_map)
        tensor([1.])
    """
    height = anomaly_map.shape[-2]
    window = max(1, round(_WINDOW_AT_64_PIXELS * height / 64))
    return F.avg_pool2d(anomaly_map[:, None], window, stride=1).flatten(1).amax(1)
