# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's training: what is kept, what is refused, what is named."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from anomalib.engine import Engine
from anomalib.loggers.base import ImageLoggerBase
from anomalib.models import AnomalibModule
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers.logger import DummyLogger

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.anogan import AnoGAN
from anogan_plugin.models.anogan.presets import PRESETS
from anogan_plugin.models.components.health import TrainingDivergedError
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.training_watch import TrainingWatch
from anogan_plugin.models.components.visualization import ReconstructionVisualizer

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 2}


def fit(model: AnoGAN, root: Path, folder: Path, epochs: int = 1, *callbacks: Callback) -> Engine:
    engine = Engine(
        max_epochs=epochs,
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        callbacks=list(callbacks),
    )
    engine.fit(model, datamodule=ICMold(root=root, image_size=32, train_batch_size=8))
    return engine


def watch_of(engine: Engine) -> TrainingWatch:
    callbacks: list[Callback] = engine.trainer.callbacks  # type: ignore[attr-defined]
    return next(callback for callback in callbacks if isinstance(callback, TrainingWatch))


def is_calibrated(model: AnomalibModule) -> bool:
    assert isinstance(model.post_processor, HeldOutGoodPostProcessor)
    return model.post_processor.calibrated


class Spoil(Callback):
    """Writes NaN into the weights of G at the start of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == self.epoch:
            with torch.no_grad():
                for weight in pl_module.trained_generator.parameters():
                    weight.fill_(float("nan"))


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_trains(preset: Any, rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(preset=preset, **TINY)
    before = [weight.clone() for weight in model.model.parameters()]
    fit(model, rendered_set, tmp_path)
    after = list(model.model.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in after)


def test_colour_images(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**{**TINY, "channels": 3})
    engine = fit(model, rendered_set, tmp_path)
    assert engine.trainer.callback_metrics["held_out_residual"] > 0
    scored = model.model.score(torch.rand(2, 3, 32, 32))
    assert scored.reconstruction is not None
    assert scored.reconstruction.shape == (2, 3, 32, 32)
    assert scored.anomaly_map.shape == (2, 32, 32)


def test_nan_before_any_epoch_is_an_error(rendered_set: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDivergedError, match=r"epoch 0: .*loss is nan.*; try"):
        fit(AnoGAN(**TINY), rendered_set, tmp_path, 2, Spoil(epoch=0))


def test_nan_later_keeps_the_best_epoch(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY)
    with pytest.warns(UserWarning, match="training diverged at epoch 2"):
        engine = fit(model, rendered_set, tmp_path, 6, Spoil(epoch=2))
    assert watch_of(engine).health.problem is not None
    assert engine.trainer.current_epoch < 5
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    saved = torch.load(str(engine.best_model_path), weights_only=True)["state_dict"]
    assert all(torch.isfinite(value).all() for name, value in saved.items() if "model" in name)


def test_nan_weights_are_not_scored() -> None:
    model = AnoGAN(**TINY)
    with torch.no_grad():
        next(model.model.generator.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="scored 2 of 2 images NaN"):
        model.model.score(torch.zeros(2, 1, 32, 32))


def test_the_local_score_is_one_flag(rendered_set: Path) -> None:
    torch.manual_seed(0)
    paper, local = AnoGAN(**TINY), AnoGAN(**TINY, image_score="local")
    local.load_state_dict(paper.state_dict())
    images = torch.rand(3, 1, 32, 32)
    both, chosen = paper.model.score(images), local.model.score(images)
    torch.testing.assert_close(both.pred_score, both.parts["paper"])
    torch.testing.assert_close(chosen.pred_score, both.parts["local"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"preset": "best"}, "preset must be one of"),
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"image_score": "max"}, "image_score must be one of"),
        ({"search_steps": -5}, "search steps must be"),
        ({"search_learning_rate": 0.0}, "search learning rate must be"),
        ({"latent_size": -2}, "latent_size must be"),
        ({"learning_rate": -1.0}, "^learning_rate must be"),
        ({"r1_weight": -3.0}, "r1_weight must be"),
        ({"ema_decay": 1.5}, "ema_decay must be"),
        ({"discriminator_norm": "layer"}, "discriminator_norm must be one of"),
        ({"adversarial_loss": "wgan"}, "adversarial_loss must be one of"),
        ({"adversarial_loss": "wasserstein"}, "needs a penalty on D's slope"),
        ({"overkill": 2.0}, "overkill must be"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AnoGAN(**{**TINY, **arguments})


def test_paper_preset_is_the_papers() -> None:
    settings = PRESETS["paper"]
    assert (settings.latent_size, settings.adversarial_loss) == (100, "bce")
    assert settings.discriminator_norm == "batch"
    assert settings.learning_rate == 2e-4
    assert settings.betas == (0.5, 0.999)
    assert settings.ema_decay == settings.r1_weight == 0


def test_training_goes_on_from_a_checkpoint(rendered_set: Path, tmp_path: Path) -> None:
    first = AnoGAN(**TINY)
    engine = fit(first, rendered_set, tmp_path / "first")
    resumed = AnoGAN(**TINY)
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    again = Engine(max_epochs=3, default_root_dir=tmp_path / "again", accelerator="cpu", devices=1)
    again.fit(resumed, datamodule=data, ckpt_path=str(engine.best_model_path))
    assert first.updates > 0
    assert resumed.updates == 3 * first.updates


class Worsen(Callback):
    """Spoils G for its third epoch: validation comes before the end of an epoch."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            with torch.no_grad():
                for weight in pl_module.model.generator.parameters():
                    weight.fill_(100.0)


def test_the_best_epoch_is_kept_in_memory_and_on_disk(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY)
    engine = fit(model, rendered_set, tmp_path, 3, Worsen())
    assert watch_of(engine).health.best_epoch < 2
    weight = next(model.model.generator.parameters())
    assert not (weight == 100).any()
    saved = torch.load(str(engine.best_model_path), weights_only=True)["state_dict"]
    torch.testing.assert_close(saved["model.generator.layers.0.weight"], weight)
    assert torch.isfinite(saved["post_processor._image_threshold"])


def test_one_object_can_be_fitted_twice(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY)
    fit(model, rendered_set, tmp_path / "first")
    assert model.training, "calibration leaves the mode alone"
    again = fit(model, rendered_set, tmp_path / "second")
    assert watch_of(again).health.best_epoch == 0
    assert is_calibrated(model)


def test_no_defect_is_taken_for_a_held_out_good_image(rendered_set: Path, tmp_path: Path) -> None:
    data = ICMold(
        root=rendered_set, image_size=32, train_batch_size=8, val_split_mode="same_as_test"
    )
    engine = Engine(max_epochs=1, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    engine.fit(AnoGAN(**TINY), datamodule=data)
    watch = watch_of(engine)
    assert sum(len(images) for images in watch._held_out) == 6  # of 12 validation images


def test_without_validation_images_it_says_so(rendered_set: Path, tmp_path: Path) -> None:
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8, val_split_mode="none")
    engine = Engine(max_epochs=1, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    model = AnoGAN(**TINY)
    with pytest.warns(UserWarning, match="fewer than two good validation images"):
        engine.fit(model, datamodule=data)
    assert not is_calibrated(model)
    assert engine.test(model, datamodule=data)[0]["image_AUROC"] >= 0


def test_a_threshold_does_not_outlive_its_weights(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY)
    fit(model, rendered_set, tmp_path / "first")
    assert is_calibrated(model)
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8, val_split_mode="none")
    engine = Engine(max_epochs=1, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    with pytest.warns(UserWarning, match="fewer than two good validation images"):
        engine.fit(model, datamodule=data)
    assert not is_calibrated(model)


class Interrupt(Worsen):
    """Spoils G for its third epoch, and ends the run in the fourth."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == 3:
            raise RuntimeError("stopped")


def test_an_interrupted_run_leaves_its_best_epoch(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY)
    with pytest.raises(RuntimeError, match="stopped"):
        fit(model, rendered_set, tmp_path, 6, Interrupt())
    (path,) = tmp_path.rglob("model.ckpt")
    saved = torch.load(path, weights_only=True)["state_dict"]
    assert not (saved["model.generator.layers.0.weight"] == 100).any()


def test_thresholds_of_another_score_are_dropped(rendered_set: Path, tmp_path: Path) -> None:
    engine = fit(AnoGAN(**TINY, image_score="local"), rendered_set, tmp_path)
    path = str(engine.best_model_path)
    same = AnoGAN.load_from_checkpoint(path)
    assert is_calibrated(same)
    with pytest.warns(UserWarning, match="'image_score': 'local'.*'image_score': 'paper'"):
        other = AnoGAN.load_from_checkpoint(path, image_score="paper")
    assert not is_calibrated(other)


class Pictures(ImageLoggerBase, DummyLogger):
    """A logger that keeps the pictures it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Any] = []

    def add_image(self, image: Any, name: str | None = None, **kwargs: Any) -> None:
        assert name == "samples"
        self.shown.append(image)


def test_samples_go_to_the_logger_and_to_disk(rendered_set: Path, tmp_path: Path) -> None:
    logger = Pictures()
    engine = Engine(
        max_epochs=5, default_root_dir=tmp_path, accelerator="cpu", devices=1, logger=[logger]
    )
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    engine.fit(AnoGAN(**TINY), datamodule=data)
    assert len(logger.shown) == 5
    assert logger.shown[0].shape[2] == 3
    assert 0 <= logger.shown[0].min() <= logger.shown[0].max() <= 1
    assert len(list(tmp_path.rglob("samples/epoch_0004.png"))) == 1


def test_mixed_precision_trains_and_tests(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(**TINY, search_precision="bf16")
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    engine = Engine(
        max_epochs=1,
        default_root_dir=tmp_path,
        accelerator="cpu",
        devices=1,
        precision="bf16-mixed",
    )
    engine.fit(model, datamodule=data)
    assert engine.test(model, datamodule=data)[0]["image_AUROC"] >= 0
    assert all(weight.dtype == torch.float32 for weight in model.parameters())


def test_pictures_of_equal_names_do_not_overwrite_each_other() -> None:
    visualizer = ReconstructionVisualizer()
    names = [
        visualizer._free_name(Path("images/good/a" + end), image)
        for end, image in ((".png", "x/a.png"), (".jpg", "x/a.jpg"), (".png", "y/a.png"))
    ]
    assert [name.name for name in names] == ["a.png", "a.jpg.png", "a_.png"]
    assert visualizer._free_name(Path("images/good/a.png"), "x/a.png") == names[0]


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_bf16_training_needs_no_trainers_precision(
    norm: Any, rendered_set: Path, tmp_path: Path
) -> None:
    model = AnoGAN(**TINY, training_precision="bf16", discriminator_norm=norm)
    engine = fit(model, rendered_set, tmp_path)
    assert torch.isfinite(torch.tensor(engine.trainer.callback_metrics["held_out_residual"]))
    assert all(weight.dtype == torch.float32 for weight in model.parameters())


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(ValueError, match="training_precision must be one of"):
        AnoGAN(**TINY, training_precision="fp8")  # type: ignore[arg-type]


def test_the_fast_search_is_one_flag(rendered_set: Path, tmp_path: Path) -> None:
    model = AnoGAN(image_size=32, width=4, latent_size=8, search="fast")
    engine = fit(model, rendered_set, tmp_path)
    assert model.model.search.steps == 75
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    assert engine.test(model, datamodule=data)[0]["image_AUROC"] >= 0
    (scores,) = tmp_path.rglob("scores_test.csv")
    assert pd.read_csv(scores).rejected.notna().all(), "a threshold for this search was set"
    other = AnoGAN(image_size=32, width=4, latent_size=8)
    with pytest.warns(UserWarning, match="thresholds in the checkpoint are for"):
        other.on_load_checkpoint(torch.load(str(engine.best_model_path), weights_only=True))


def test_a_subset_of_the_test_images_has_both_labels_and_is_the_same_again(
    rendered_set: Path,
) -> None:
    data = ICMold(root=rendered_set, image_size=32)
    data.setup()
    subset = data.test_subset(2).samples
    assert subset.label_index.tolist() == [0, 0, 1, 1]
    assert subset.image_path.tolist() == data.test_subset(2).samples.image_path.tolist()
    assert len(data.test_subset(10**6)) == len(data.test_data)
