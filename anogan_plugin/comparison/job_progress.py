# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How far a job is, for whoever watches from another process."""

import contextlib
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from anogan_plugin.comparison.job_folder import JobFolder

PROGRESS = "progress.json"


class JobProgress(Callback):
    """Writes into a job's folder which epoch it trains or which batch it scores.

    Args:
        folder: Of the job.
    """

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the epoch."""
        self._note("epoch", trainer.current_epoch + 1, trainer.max_epochs)

    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note the batch."""
        of = trainer.num_test_batches[dataloader_idx]
        what = ("held-out batch", "test batch")[dataloader_idx]
        self._note(what, batch_idx + 1, of)

    def _note(self, what: str, now: int, of: float | None) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end a job over this
            self._folder.write_json(PROGRESS, {"what": what, "now": now, "of": of})
