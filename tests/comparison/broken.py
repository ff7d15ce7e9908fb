# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models that fail in the ways that models do."""

import fcntl
import os
import signal
from pathlib import Path
from typing import Any, Literal, cast

import torch
from anomalib import LearningType
from anomalib.data import Batch, InferenceBatch
from anomalib.models import AnomalibModule
from torch import nn

from tests.comparison.gates import open_for_good

How = Literal["", "build", "train", "nan", "memory", "kill", "wait", "open", "look"]


class _Brightness(nn.Module):
    def __init__(self, how: str, go: str) -> None:
        super().__init__()
        self.how, self.go = how, Path(go)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor) -> InferenceBatch:
        if self.how == "kill":
            self._kill_once(len(images))
        if self.how == "look":
            _add_line(self.go, f"{len(images)} {_use_of_machine(self.go.parent)}")
        score = images.mean((1, 2, 3)) * (torch.nan if self.how == "nan" else 1)
        return InferenceBatch(pred_score=score, anomaly_map=images.mean(1, keepdim=True))

    def _kill_once(self, count: int) -> None:
        scored = self.go.read_text().splitlines() if self.go.exists() else []
        _add_line(self.go, "killed" if len(scored) == _SCORED else str(count))
        if len(scored) == _SCORED:
            os.kill(os.getpid(), signal.SIGKILL)


_SCORED = 2


def _add_line(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(f"{text}\n")


def _use_of_machine(folder: Path) -> str:
    (lock,) = folder.glob("out/.machine-*.lock")
    with lock.open() as file:
        for kind, use in ((fcntl.LOCK_EX, "free"), (fcntl.LOCK_SH, "shared")):
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                return use
            except BlockingIOError:
                continue
    return "alone"


class BrokenModel(AnomalibModule):
    """Scores brightness, unless it fails.

    Args:
        how: When it fails; empty for never. ``wait`` writes its process's number to the pipe
            ``go.started`` and trains once something has been written to the pipe ``go``, which
            ``open`` does. ``kill``
            kills its process once, when it has scored two batches; ``look`` does not fail. Both
            write a line per batch to the file ``go``: how many images, and what use of the machine
            the locks show.
        go: That pipe or file.
    """

    def __init__(self, how: How = "", go: str = "") -> None:
        super().__init__(pre_processor=False)
        if how == "build":
            raise RuntimeError("this model can't be built")
        self.how, self.go = how, go
        self.model = _Brightness(how, go)

    def training_step(self, batch: Batch, batch_idx: int) -> Any:
        """Fail, or learn nothing."""
        if self.how == "train":
            raise RuntimeError("no convergence [/red]")
        if self.how == "memory":
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory is full
        if self.how == "wait":
            Path(f"{self.go}.started").write_text(f"{os.getpid()}\n")
            Path(self.go).read_text()
        if self.how == "open":
            open_for_good(Path(self.go))
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
