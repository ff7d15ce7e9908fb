# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One row per scored image on disk: what every later table is derived from."""

from pathlib import Path
from typing import Any

import pandas as pd
from anomalib.data import ImageBatch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info


class ScoreTable(Callback):
    """Writes ``scores_test.csv`` and ``scores_predict.csv`` into the results folder.

    Columns: ``image_path``; ``label`` (0 good, 1 anomalous; empty where unknown); ``score``, as the
    post-processor left it; ``rejected`` (empty where there is no threshold); one for each part of
    the score that the model attached to the batch as ``score_parts``, a dict of ``(B,)`` tensors,
    always raw; and ``picture``, where the visualizer saved one, from the table's folder.
    """

    def __init__(self) -> None:
        self._rows: list[pd.DataFrame] = []

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ImageBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note a batch."""
        del trainer, pl_module, outputs, batch_idx, dataloader_idx
        columns = {
            "label": batch.gt_label,
            "score": batch.pred_score,
            "rejected": batch.pred_label,
            **getattr(batch, "score_parts", {}),
        }
        values = {k: None if v is None else v.float().cpu().numpy() for k, v in columns.items()}
        pictures = getattr(batch, "pictures", None)
        rows = {"image_path": batch.image_path, **values, "picture": pictures}
        self._rows.append(pd.DataFrame(rows))

    on_predict_batch_end = on_test_batch_end

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write ``scores_test.csv``."""
        self._write(trainer, "test")

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write ``scores_predict.csv``."""
        self._write(trainer, "predict")

    def _write(self, trainer: Trainer, stage: str) -> None:
        table = pd.concat(self._rows).astype({"label": "Int8", "rejected": "Int8"})
        rank = f"_rank{trainer.global_rank}" if trainer.world_size > 1 else ""
        path = Path(trainer.default_root_dir) / f"scores_{stage}{rank}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False)
        self._rows = []
        rank_zero_info(f"Scores of {len(table)} images: {path}")
