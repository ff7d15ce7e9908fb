# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Image scores and anomaly maps from what a reconstruction leaves over."""

from typing import NamedTuple

import torch
from torch.nn import functional as F

from anogan_plugin.models.components.learnt_from_good import UnfittedError
from anogan_plugin.models.components.standardised_residual import StandardisedResidual

RESIDUAL_SCORES = ("sum", "mean", "local", "standardised")
_WINDOW_AT_64_PIXELS = 5


class ImageScores(NamedTuple):
    """Scores of a batch of B images.

    Attributes:
        pred_score: ``(B,)`` image scores, raw: higher is more anomalous, no fixed range.
        parts: ``(B,)`` each, by name: the image scores that the model can give, and the terms
            that its paper's is made of.
        anomaly_map: ``(B, H, W)`` per pixel, higher is more anomalous.
        reconstruction: ``(B, C, H, W)`` in [-1, 1]; None for a model that makes none.
    """

    pred_score: torch.Tensor
    parts: dict[str, torch.Tensor]
    anomaly_map: torch.Tensor
    reconstruction: torch.Tensor | None = None


def image_scores(
    parts: dict[str, torch.Tensor],
    image_score: str,
    anomaly_map: torch.Tensor,
    reconstruction: torch.Tensor | None = None,
) -> ImageScores:
    """Take one part as the image score, if it is a number.

    Args:
        parts: ``(B,)`` each.
        image_score: Name of one of them, or of one that only a fitted model has.
        anomaly_map: ``(B, H, W)``.
        reconstruction: ``(B, C, H, W)``; None for a model that makes none.

    Returns:
        All of it.

    Raises:
        UnfittedError: If it is learnt from good images and the model has not been.
        ValueError: If a score is NaN or infinite, because a weight or an image is.
    """
    if image_score not in parts:
        raise UnfittedError(image_score)
    score = parts[image_score]
    # A graph that is being exported has no values to look at yet.
    if not torch.compiler.is_exporting() and not torch.isfinite(score).all():
        count = int((~torch.isfinite(score)).sum())
        msg = (
            f"the model scored {count} of {len(score)} images NaN or infinite: expected finite "
            "images in [-1, 1] and finite weights; look for NaN in the images, or train again "
            "if the checkpoint is from a run that diverged"
        )
        raise ValueError(msg)
    return ImageScores(score, parts, anomaly_map, reconstruction)


def reconstruction_scores(
    parts: dict[str, torch.Tensor],
    image_score: str,
    anomaly_map: torch.Tensor,
    images: torch.Tensor,
    reconstruction: torch.Tensor,
    standardised: StandardisedResidual,
) -> ImageScores:
    """As :func:`image_scores`, with the standardised residual among the parts once it is fitted.

    Args:
        parts: ``(B,)`` each.
        image_score: Name of one of them, or ``"standardised"``: then its map is the anomaly map.
        anomaly_map: ``(B, H, W)``.
        images: ``(B, C, H, W)`` in [-1, 1].
        reconstruction: The same shape and range.
        standardised: What good images leave over.

    Returns:
        All of it.

    Raises:
        UnfittedError: As :func:`image_scores`.
        ValueError: Likewise.
    """
    if standardised.fitted:
        standardised_map = standardised(images - reconstruction)
        parts["standardised"] = standardised_map.flatten(1).amax(1)
        if image_score == "standardised":
            anomaly_map = standardised_map
    return image_scores(parts, image_score, anomaly_map, reconstruction)


def check_image_score(image_score: str, choices: tuple[str, ...]) -> str:
    """Refuse an image score that a model does not have.

    Args:
        image_score: Name of a score.
        choices: Those that the model has.

    Returns:
        The name.

    Raises:
        ValueError: If it is not one of them.
    """
    if image_score not in choices:
        msg = f"image_score must be one of {choices}, got {image_score!r}"
        raise ValueError(msg)
    return image_score


def residual_scores(anomaly_map: torch.Tensor) -> dict[str, torch.Tensor]:
    """The ways to make one score of a map, of :data:`RESIDUAL_SCORES`.

    Args:
        anomaly_map: ``(B, H, W)`` float.

    Returns:
        ``(B,)`` each: ``sum`` and ``mean`` over the pixels, ``local``, the
        :func:`largest_local_mean`.
    """
    return {
        "sum": anomaly_map.sum((1, 2)),
        "mean": anomaly_map.mean((1, 2)),
        "local": largest_local_mean(anomaly_map),
    }


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
