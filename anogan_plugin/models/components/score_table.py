# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One row per scored image on disk: what every later table is derived from."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from anomalib.data import ImageBatch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from scipy.stats import ks_2samp

from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor

_DRIFTED = 0.001


class ScoreTable(Callback):
    """Writes ``scores_test.csv`` and ``scores_predict.csv`` into the results folder.

    Columns: ``image_path``; ``label`` (0 good, 1 anomalous; empty where unknown); ``score``, as the
    post-processor left it; ``rejected`` (empty where there is no threshold); ``p_value`` against
    the held-out good images (empty where there are none); one for each part of the score that the
    model attached to the batch as ``score_parts``, a dict of ``(B,)`` tensors, always raw; and
    ``picture``, where the visualizer saved one, from the table's folder.
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
        del trainer, outputs, batch_idx, dataloader_idx
        columns = {
            "label": batch.gt_label,
            "score": batch.pred_score,
            "rejected": batch.pred_label,
            "p_value": _p_values(pl_module, batch),
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
        """Write ``scores_predict.csv``; say how the scores compare with those of good images."""
        table = self._write(trainer, "predict")
        if table.p_value.notna().all():
            rank_zero_info(drift(table.score.to_numpy(float), _good_scores(pl_module)))

    def _write(self, trainer: Trainer, stage: str) -> pd.DataFrame:
        table = pd.concat(self._rows).astype({"label": "Int8", "rejected": "Int8"})
        rank = f"_rank{trainer.global_rank}" if trainer.world_size > 1 else ""
        path = Path(trainer.default_root_dir) / f"scores_{stage}{rank}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False)
        self._rows = []
        rank_zero_info(f"Scores of {len(table)} images: {path}")
        return table


def drift(scores: np.ndarray, good: np.ndarray) -> str:
    """How the scores of new images compare with those of held-out good ones.

    Args:
        scores: ``(N,)`` raw scores of new images.
        good: ``(M,)`` raw scores of held-out good images.

    Returns:
        Both medians and the p-value of the two-sample Kolmogorov-Smirnov test that the new images
        score as the held-out ones did.

    Example:
        >>> drift(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
        'Median score 2, of 3 held-out good images 2; alike (Kolmogorov-Smirnov p = 1)'
    """
    p_value = ks_2samp(scores, good).pvalue
    alike = (
        "alike"
        if p_value >= _DRIFTED
        else "not alike: many defects, or parts, camera or light are not those of the training"
    )
    return (
        f"Median score {np.median(scores):.4g}, of {len(good)} held-out good images "
        f"{np.median(good):.4g}; {alike} (Kolmogorov-Smirnov p = {p_value:.2g})"
    )


def _p_values(pl_module: LightningModule, batch: ImageBatch) -> torch.Tensor | None:
    post_processor = pl_module.post_processor
    if not isinstance(post_processor, HeldOutGoodPostProcessor):
        return None
    if len(post_processor.good_scores) == 0:
        return None
    return post_processor.p_values(cast(torch.Tensor, batch.pred_score))


def _good_scores(pl_module: LightningModule) -> np.ndarray:
    post_processor = cast(HeldOutGoodPostProcessor, pl_module.post_processor)
    return post_processor.good_scores.cpu().numpy()
