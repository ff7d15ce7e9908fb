# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is said of images, and who says it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from anogan_plugin.latent_search import ImageSource


@dataclass(frozen=True)
class Scored:
    """What is said of B images.

    Attributes:
        index: Their B positions among all images.
        parts: ``(B,)`` float64 each, by name: the raw ``score`` first, then what it is made of.
        maps: ``(B, H, W)`` float32 per pixel, higher is more anomalous; None if none are drawn.
        rejected: ``(B,)`` bool; None where there is no threshold.
    """

    index: list[int]
    parts: dict[str, np.ndarray]
    maps: np.ndarray | None
    rejected: np.ndarray | None


class Scorer(ABC):
    """Scores images, however many and however they come."""

    @abstractmethod
    def prepare(self, image: np.ndarray) -> torch.Tensor:
        """Make an image ready to be scored; threads may do it at the same time.

        Args:
            image: ``(3, H, W)`` float32 in [0, 1], of any size.

        Returns:
            ``(3, H', W')`` as :meth:`stream` takes it.
        """

    @abstractmethod
    def stream(self, images: ImageSource) -> Iterator[Scored]:
        """Score images, one or more at a time.

        Args:
            images: What :meth:`prepare` returned, in a sequence that may grow while it is read.
                It is read in order, each image once.

        Yields:
            Every image once, in any order.

        Raises:
            ValueError: If a score is NaN or infinite.
        """


def score_parts(batch: Any) -> dict[str, torch.Tensor]:
    """Take the scores of a batch as its model left them, before any post-processing.

    Args:
        batch: B images that a model has scored.

    Returns:
        ``(B,)`` each: ``score`` first, then its parts if the model has attached any.
    """
    return {"score": batch.pred_score, **getattr(batch, "score_parts", {})}


def as_numbers(values: torch.Tensor) -> np.ndarray:
    """One number for each image, ``(B,)`` float64, of a tensor of any shape with B values."""
    return values.double().flatten().cpu().numpy()


def check_finite(scores: np.ndarray) -> None:
    """Refuse scores that say nothing.

    Args:
        scores: ``(B,)`` float.

    Raises:
        ValueError: If one is NaN or infinite.
    """
    if lost := int((~np.isfinite(scores)).sum()):
        raise ValueError(
            f"{lost} of {len(scores)} scores are NaN or infinite: did the training diverge?"
        )
