# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The classifier that needs labelled defects: what it learns from, and that it says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from anomalib import LearningType
from anomalib.engine import Engine
from anomalib.models import AnomalibModule
from lightning import seed_everything
from lightning.pytorch import Callback, Trainer
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import nn

from anogan_plugin.models.components.health import TrainingDivergedError
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.supervised_cnn import SupervisedCNN, SupervisedCNNModel, lightning_model
from anogan_plugin.models.supervised_cnn.augmentation import BRIGHTNESS, SHIFT, augment
from tests.models.supervised_runs import TINY, data, engine_in
from tests.processes import anomalib_here


def fit(model: SupervisedCNN, root: Path, folder: Path, *callbacks: Callback) -> Engine:
    engine = engine_in(folder, 1, *callbacks)
    engine.fit(model, datamodule=data(root))
    return engine


def calibrated(model: AnomalibModule) -> bool:
    assert isinstance(model.post_processor, HeldOutGoodPostProcessor)
    return model.post_processor.calibrated


def as_batched(model: SupervisedCNN, split: Any) -> torch.Tensor:
    """All images of a split, pre-processed, as the network takes them."""
    transform: Any = model.pre_processor.transform  # type: ignore[union-attr]
    return torch.stack([transform(split[i].image)[:1] for i in range(len(split))])


def test_the_map_shares_the_logit_out() -> None:
    torch.manual_seed(0)
    model = SupervisedCNNModel(64, 1, width=4, dropout=0.5).eval()
    images = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        scores, cells = model.score(images), model.features(images).numpy()
    weights = model.logit.weight[0].detach().numpy()
    expected = np.einsum("bchw,chw->b", cells, weights) + float(model.state_dict()["logit.bias"])
    np.testing.assert_allclose(scores.pred_score, expected, rtol=1e-4)
    np.testing.assert_allclose(model.logits(images).detach(), expected, rtol=1e-4)
    np.testing.assert_allclose(scores.anomaly_map.mean((1, 2)), expected, rtol=1e-4)
    assert scores.anomaly_map.shape == (3, 64, 64)
    assert scores.reconstruction is None


def test_the_map_by_hand() -> None:
    model = SupervisedCNNModel(32, 1, width=4, dropout=0.0).eval()
    logit = nn.Conv2d(1, 1, 4)
    logit.load_state_dict({"weight": torch.full((1, 1, 4, 4), 2 / 16), "bias": torch.ones(1)})
    model.features, model.logit = nn.Sequential(nn.AvgPool2d(8)), logit
    image = torch.zeros(1, 1, 32, 32)
    image[..., 8:16, 16:24] = 1.0  # the whole of one cell of the 4 x 4
    scores = model.score(image)
    assert scores.pred_score.item() == pytest.approx(2 / 16 + 1)
    assert scores.anomaly_map[0, 12, 20].item() == pytest.approx(3, abs=0.3)
    assert scores.anomaly_map[0, 28, 4].item() == pytest.approx(1)


def test_augmentation_shifts_and_lights() -> None:
    images = torch.rand(40, 1, 64, 64) - 0.5
    changed = augment(images, torch.Generator().manual_seed(0))
    assert changed.shape == images.shape
    most = round(SHIFT * 64)
    found = []
    for before, after in zip(images[:, 0].numpy(), changed[:, 0].numpy(), strict=True):
        padded = np.pad(before, most, mode="edge")
        fits = [
            (y, x, float((after - padded[y : y + 64, x : x + 64]).mean()))
            for y in range(2 * most + 1)
            for x in range(2 * most + 1)
            if np.ptp(after - padded[y : y + 64, x : x + 64]) < 1e-5
        ]
        assert len(fits) == 1, "one shift with a replicated edge, and one change of brightness"
        found.append(fits[0])
    assert len({(y, x) for y, x, _ in found}) > 10
    light = np.array([light for *_, light in found])
    assert (np.abs(light) <= BRIGHTNESS).all()
    assert light.min() < -BRIGHTNESS / 2 < BRIGHTNESS / 2 < light.max()
    torch.testing.assert_close(augment(images, torch.Generator().manual_seed(0)), changed)


def test_every_step_sees_as_many_defects_as_good_images(
    rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []

    def keep(images: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        seen.append(images)
        return images

    monkeypatch.setattr(lightning_model, "augment", keep)
    module = data(rendered_set)
    model = SupervisedCNN(**TINY)
    engine_in(tmp_path).fit(model, datamodule=module)

    def pixels(split: Any) -> set[bytes]:
        return {image.numpy().tobytes() for image in as_batched(model, split)}

    labelled, good = pixels(module.labelled_data), pixels(module.train_data)
    assert len(labelled) == 2
    drawn = set()
    for images in seen:
        assert len(images) % 2 == 0
        content = [image.numpy().tobytes() for image in images]
        assert set(content[: len(images) // 2]) <= good
        assert set(content[len(images) // 2 :]) <= labelled
        drawn |= set(content[len(images) // 2 :])
    assert sum(len(images) for images in seen) == 2 * 22
    assert drawn == labelled


def test_the_loss_is_the_cross_entropy_of_both_halves(
    rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SupervisedCNN(**TINY, training_precision="fp32")
    logits = torch.linspace(-2, 3, 16)
    monkeypatch.setattr(model, "descend", lambda optimizer, loss: loss)
    monkeypatch.setattr(model.model, "logits", lambda images: logits[: len(images)], raising=True)
    losses: list[float] = []

    def keep(found: dict[str, torch.Tensor], batch_size: int) -> dict[str, torch.Tensor]:
        losses.append(float(found["loss"]))
        return found

    monkeypatch.setattr(model, "end_update", keep)
    fit(model, rendered_set, tmp_path)
    p = 1 / (1 + np.exp(-logits.numpy().astype(float)))
    assert losses[0] == pytest.approx(-np.log([*(1 - p[:8]), *p[8:]]).mean())


def test_it_finds_plain_defects_and_leaves_all_it_knows(
    plain_defects: Path, tmp_path: Path
) -> None:
    seed_everything(0, verbose=False)
    model = SupervisedCNN(image_size=32, width=8, learning_rate=5e-3)
    engine = engine_in(tmp_path, 8)
    engine.fit(model, datamodule=data(plain_defects, 3))
    logged = engine.trainer.callback_metrics
    assert logged["labelled_defects"] == 6
    assert logged["labelled_defects_dark"] == 3
    engine.test(model, datamodule=data(plain_defects, 3))
    (path,) = tmp_path.rglob("scores_test.csv")
    scores = pd.read_csv(path)
    assert len(scores) == 20 + 2 * 9
    assert roc_auc_score(scores.label, scores.score) > 0.9
    assert (scores.labelled_defects == 6).all()
    assert (scores.labelled_defects_bright == 3).all()
    assert (scores.labelled_defects_dark == 3).all()
    assert scores.rejected.notna().all()
    with Image.open(path.parent / scores.picture[0]) as picture:
        assert picture.width == 2 * 256, "image and heat map, no reconstruction"

    saved = torch.load(str(engine.best_model_path), weights_only=True)
    assert sorted(saved["labelled"].values()) == ["bright"] * 3 + ["dark"] * 3
    torch.testing.assert_close(
        saved["state_dict"]["model.logit.weight"], model.model.logit.weight.data
    )
    assert torch.isfinite(saved["state_dict"]["post_processor._image_threshold"])
    again = SupervisedCNN.load_from_checkpoint(str(engine.best_model_path))
    assert again.labelled_counts == {"bright": 3, "dark": 3}
    assert calibrated(again)
    with pytest.raises(ValueError, match=r"was trained on as a labelled defect.*labelled_defects"):
        engine_in(tmp_path / "leak").test(again, datamodule=data(plain_defects, 1))
    engine_in(tmp_path / "look").predict(again, data_path=plain_defects / "test" / "dark")
    (path,) = (tmp_path / "look").rglob("scores_predict.csv")
    assert (pd.read_csv(path).labelled_defects == 6).all()


def test_it_claims_no_kind_of_learning_that_anomalib_knows() -> None:
    found = SupervisedCNN(**TINY).learning_type
    assert found == "supervised"
    assert found not in set(LearningType)


class Spoil(Callback):
    """Writes NaN into the weights."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        with torch.no_grad():
            pl_module.model.logit.weight.fill_(float("nan"))


def test_nan_is_named(rendered_set: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDivergedError, match="epoch 0: loss is nan; try"):
        fit(SupervisedCNN(**TINY), rendered_set, tmp_path, Spoil())


def test_the_threshold_is_of_good_images_alone(
    rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SupervisedCNN(**TINY)
    given: list[torch.Tensor] = []
    monkeypatch.setattr(model, "calibrate", given.append)
    engine_in(tmp_path, 2).fit(model, datamodule=data(rendered_set, val_split_mode="same_as_test"))
    assert [len(images) for images in given] == [6]  # of 10 validation images, and of one epoch


def test_without_validation_images_it_says_so(rendered_set: Path, tmp_path: Path) -> None:
    model = SupervisedCNN(**TINY)
    with pytest.warns(UserWarning, match="fewer than two good validation images"):
        engine_in(tmp_path).fit(model, datamodule=data(rendered_set, val_split_mode="none"))
    assert not calibrated(model)


def test_calibration_is_in_eval_mode_and_leaves_the_mode_alone(
    rendered_set: Path, tmp_path: Path
) -> None:
    model = SupervisedCNN(**TINY)
    module = data(rendered_set)
    engine_in(tmp_path).fit(model, datamodule=module)
    assert model.training
    model.eval()
    scores = model.model.score(as_batched(model, module.val_data)).pred_score
    assert isinstance(model.post_processor, HeldOutGoodPostProcessor)
    threshold = float(model.post_processor.image_threshold)
    assert threshold == pytest.approx(float(scores.max()), rel=1e-4)


@pytest.mark.parametrize(
    "arguments", [{"channels": 3}, {"training_precision": "bf16"}, {"dropout": 0.0}]
)
def test_other_arguments_train(
    arguments: dict[str, Any], rendered_set: Path, tmp_path: Path
) -> None:
    model = SupervisedCNN(**TINY, **arguments)
    before = [weight.clone() for weight in model.model.parameters()]
    fit(model, rendered_set, tmp_path)
    after = list(model.model.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in after)
    assert all(weight.dtype == torch.float32 for weight in after)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"width": 0}, "width must be at least 1"),
        ({"defects_per_type": 0}, "defects_per_type must be"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"training_precision": "fp8"}, "training_precision must be one of"),
        ({"overkill": 2.0}, "overkill must be"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SupervisedCNN(**{**TINY, **arguments})


def test_the_command_trains_tests_and_says_how_many_labels_it_took(tmp_path: Path) -> None:
    values = {
        "model": "SupervisedCNN",
        "model.image_size": 32,
        "model.width": 4,
        "data": "ICMold",
        "data.root": "icmold",
        "data.train_good": 16,
        "data.test_good": 4,
        "data.test_defects": 8,
        "data.image_size": 32,
        "data.defects": "[void, crack]",
        "data.labelled_defects": 2,
        "data.train_batch_size": 8,
        "trainer.max_epochs": 1,
        "trainer.accelerator": "cpu",
    }
    options = [text for name, value in values.items() for text in (f"--{name}", str(value))]
    anomalib_here("train", *options, cwd=tmp_path)
    (path,) = tmp_path.rglob("scores_test.csv")
    scores = pd.read_csv(path)
    assert scores.label.value_counts().to_dict() == {0: 4, 1: 4}
    columns = ["labelled_defects", "labelled_defects_crack", "labelled_defects_void"]
    constant = scores[columns].drop_duplicates()
    assert constant.to_numpy().tolist() == [[4, 2, 2]]
