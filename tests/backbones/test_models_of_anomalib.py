# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""anomalib's own models with the offline network, as their users run them."""

import math
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from anomalib import models
from anomalib.engine import Engine
from sklearn.metrics import roc_auc_score

from anogan_plugin.backbones.choice import ARGUMENTS, OFFLINE_BACKBONE
from anogan_plugin.data.icmold import ICMold
from tests.processes import ANOMALIB, run


@pytest.mark.parametrize("model", ARGUMENTS[OFFLINE_BACKBONE])
def test_train_and_predict(
    model: str, rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    model_class = getattr(models, model)
    detector = model_class(
        backbone=OFFLINE_BACKBONE,
        pre_processor=model_class.configure_pre_processor((64, 64)),
        visualizer=False,
        **ARGUMENTS[OFFLINE_BACKBONE][model],
    )
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    engine = Engine(max_epochs=1, accelerator="cpu", default_root_dir=tmp_path, logger=False)

    (metrics,) = engine.train(detector, datamodule=data)
    batches: Any = engine.predict(detector, dataloaders=data.test_dataloader())

    scores = [float(score) for batch in batches for score in batch.pred_score.flatten()]
    labels = [int(label) for batch in batches for label in batch.gt_label]
    assert len(scores) == 12
    assert all(map(math.isfinite, scores))
    assert len({*scores}) > 1
    assert 0 <= roc_auc_score(labels, scores) <= 1
    assert 0 <= metrics["image_AUROC"] <= 1


@pytest.mark.slow
def test_the_stock_command(rendered_set: Path, tmp_path: Path) -> None:
    model = ["--model", "Patchcore", "--model.backbone", OFFLINE_BACKBONE]
    model += ["--model.layers", "[blocks.2, blocks.4]", "--model.coreset_sampling_ratio", "0.005"]
    data = ["--data", "ICMold", "--data.root", str(rendered_set), "--data.image_size", "32"]
    data += ["--data.train_batch_size", "8"]
    on_cpu = ["--trainer.accelerator", "cpu"]
    offline = {"HF_HUB_OFFLINE": "1"}
    result = run(ANOMALIB, "train", *model, *data, *on_cpu, cwd=tmp_path, environment=offline)
    assert "image_AUROC" in result.stdout
    assert len([*tmp_path.rglob("model.ckpt")]) == 1
