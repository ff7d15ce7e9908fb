# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models that fail in the ways that models do."""

import os
import signal
from pathlib import Path
from typing import Any, Literal, cast

import torch
from anomalib import LearningType
from anomalib.data import Batch, InferenceBatch
from anomalib.models import AnomalibModule
from torch import nn

How = Literal["", "build", "train", "nan", "memory", "kill", "wait"]


class _Brightness(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor) -> InferenceBatch:
        score = images.mean((1, 2, 3)) * (torch.nan if self.how == "nan" else 1)
        return InferenceBatch(pred_score=score, anomaly_map=images.mean(1, keepdim=True))


class BrokenModel(AnomalibModule):
    """Scores brightness, unless it fails.

    Args:
        how: When it fails; empty for never. ``wait`` writes its process's number to the pipe
            ``go.started`` and trains once something has been written to the pipe ``go``.
        go: That pipe.
    """

    def __init__(self, how: How = "", go: str = "") -> None:
        super().__init__(pre_processor=False)
        if how == "build":
            raise RuntimeError("this model can't be built")
        self.how, self.go = how, go
        self.model = _Brightness(how)

    def training_step(self, batch: Batch, batch_idx: int) -> Any:
        """Fail, or learn nothing."""
        if self.how == "train":
            raise RuntimeError("no convergence [/red]")
        if self.how == "memory":
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory is full
        if self.how == "wait":
            Path(f"{self.go}.started").write_text(f"{os.getpid()}\n")
            Path(self.go).read_text()
        return cast(_Brightness, self.model).scale * 0

    def validation_step(self, batch: Batch, batch_idx: int) -> Any:
        """Measure nothing."""
        return batch

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Some optimizer."""
        return torch.optim.SGD(self.parameters(), 0.1)

    @property
    def trainer_arguments(self) -> dict[str, Any]:
        """None."""
        return {}

    @property
    def learning_type(self) -> LearningType:
        """One class."""
        return LearningType.ONE_CLASS
