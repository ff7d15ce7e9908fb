# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Names what goes wrong while a model trains: NaN, collapse, divergence."""

import math
from collections.abc import Mapping

import torch

_COLLAPSED_DIVERSITY = 0.1
_DIVERGED_RATIO = 2.0
_PATIENCE = 3
_WARM_UP_UPDATES = 500


class TrainingDivergedError(RuntimeError):
    """A loss became NaN or infinite before any epoch could be kept."""


def diversity(samples: torch.Tensor, images: torch.Tensor) -> float:
    """Variation among generated images relative to that among real ones.

    Args:
        samples: ``(N, C, H, W)`` generated images, or reconstructions.
        images: ``(M, C, H, W)`` real images of the same range.

    Returns:
        Ratio of the standard deviations across images, averaged over pixels: about 1 when the
        samples vary as the images do, 0 when the model makes one image only.
    """
    return float(samples.std(0).mean() / images.std(0).mean().clamp_min(1e-8))


class TrainingHealth:
    """Watches one training run and says when it is lost.

    Args:
        remedy: What to try, put at the end of every message.
        problem: What ended an earlier stage of the run, if something did.

    Attributes:
        best_residual: Lowest held-out residual of an epoch so far.
        best_epoch: The epoch that had it, from 0; -1 before the first.
        problem: What ended the run, or a stage of it, or None.
    """

    def __init__(self, remedy: str, problem: str | None = None) -> None:
        self.remedy = remedy
        self.problem = problem
        self.best_residual = math.inf
        self.best_epoch = -1
        self._bad_epochs = 0

    def non_finite(self, losses: Mapping[str, torch.Tensor], epoch: int) -> str | None:
        """Look for NaN and infinity.

        Args:
            losses: Scalar losses by name.
            epoch: The current epoch, from 0.

        Returns:
            What is wrong, or None.
        """
        broken = [f"{name} is {float(x)}" for name, x in losses.items() if not x.isfinite()]
        if not broken:
            return None
        return f"training diverged at epoch {epoch}: {', '.join(broken)}; {self.remedy}"

    def end_of_epoch(
        self, epoch: int, updates: int, residual: float, diversity: float
    ) -> str | None:
        """Judge an epoch and note whether it is the best so far.

        Args:
            epoch: The epoch that ended, from 0.
            updates: Training steps so far; a young model has not collapsed yet.
            residual: Held-out residual, mean |x − reconstruction| per pixel.
            diversity: What :func:`diversity` gave for it.

        Returns:
            What is wrong, once it has been wrong for three epochs in a row, or None.
        """
        if residual < self.best_residual:
            self.best_residual, self.best_epoch = residual, epoch
        collapsed = diversity < _COLLAPSED_DIVERSITY
        diverged = not residual <= _DIVERGED_RATIO * self.best_residual
        bad = updates >= _WARM_UP_UPDATES and (collapsed or diverged)
        self._bad_epochs = self._bad_epochs + 1 if bad else 0
        if self._bad_epochs < _PATIENCE:
            return None
        first = epoch - _PATIENCE + 1
        if collapsed:
            problem = (
                f"the model collapsed at epoch {first}: its samples vary {diversity:.2f} times "
                "as much as good images do"
            )
        else:
            problem = (
                f"training diverged at epoch {first}: held-out residual {residual:.3f}, "
                f"best {self.best_residual:.3f} at epoch {self.best_epoch}"
            )
        return f"{problem}; {self.remedy}"
