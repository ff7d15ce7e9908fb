# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is learnt from good images when a training ends, and remembered in its checkpoint."""

from typing import Any

import torch
from torch import nn

FEWEST_IMAGES = 8
"""Good images without which no deviation is estimated."""


class UnfittedError(ValueError):
    """A score that is learnt from good images, of a model that has not seen any.

    Args:
        image_score: Its name.
    """

    def __init__(self, image_score: str) -> None:
        super().__init__(
            f"image_score {image_score} measures images against good ones, which this model has "
            f"not seen: train it with image_score {image_score}, on {FEWEST_IMAGES} good images or "
            "more, four of them held out"
        )


class LearntFromGood(nn.Module):
    """A module whose buffers good images fill; a checkpoint says whether they have.

    Attributes:
        fitted: Whether they have.
    """

    fitted: bool

    def __init__(self) -> None:
        super().__init__()
        self.fitted = False

    def get_extra_state(self) -> torch.Tensor:
        """Whether it has been fitted, for checkpoints."""
        return torch.tensor(self.fitted)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore it."""
        self.fitted = bool(state)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        # A checkpoint from before there was such a module has nothing of it: it is not fitted then.
        if not any(name.startswith(prefix) for name in state_dict):
            self.fitted = False
            return
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)
