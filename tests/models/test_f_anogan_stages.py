# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN's two stages: when they change, what they start from, and the GANs that it takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback, Trainer

from anogan_plugin.models.anogan import AnoGAN
from anogan_plugin.models.components.training_watch import TrainingWatch
from anogan_plugin.models.f_anogan import FAnoGAN
from tests.models.f_anogan_runs import TINY, State, fit, gan_of, same


class Diary(Callback):
    """Notes each epoch's stage, and G and D after each epoch and at the encoder's first step."""

    def __init__(self) -> None:
        self.stages: list[tuple[int, bool]] = []
        self.residuals: list[float] = []
        self.after: list[State] = []
        self.at_switch: State | None = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, *args: Any) -> None:
        if pl_module.encoding and self.at_switch is None:
            self.at_switch = gan_of(pl_module)
        stage = (trainer.current_epoch, pl_module.encoding)
        if stage not in self.stages:
            self.stages.append(stage)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        self.residuals.append(float(trainer.callback_metrics["held_out_residual"]))
        self.after.append(gan_of(pl_module))


class Spoil(Callback):
    """Writes NaN into the weights of G at the start of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == self.epoch:
            with torch.no_grad():
                for weight in pl_module.trained_generator.parameters():
                    weight.fill_(float("nan"))


class Worsen(Callback):
    """Spoils G after an epoch has been measured, so that the next one is worse."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            with torch.no_grad():
                for weight in pl_module.trained_generator.parameters():
                    weight.fill_(3.0)


class StopAfter(Callback):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        trainer.should_stop = trainer.current_epoch == self.epoch


@pytest.fixture(scope="module")
def anogan(rendered_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, State]:
    """Path of a checkpoint of a trained AnoGAN, and its G and D."""
    model = AnoGAN(**TINY, search_steps=1)
    engine = fit(model, rendered_set, tmp_path_factory.mktemp("anogan"), 1)
    return str(engine.best_model_path), gan_of(model)


@pytest.mark.parametrize(
    ("preset", "norm"), [("default", None), ("paper", None), ("default", "batch")]
)
def test_presets_train_and_the_encoder_changes_neither_g_nor_d(
    preset: Any, norm: Any, rendered_set: Path, tmp_path: Path
) -> None:
    model = FAnoGAN(preset=preset, discriminator_norm=norm, **TINY)
    gan, diary = gan_of(model), Diary()
    encoder = [weight.clone() for weight in model.model.encoder.parameters()]
    fit(model, rendered_set, tmp_path, 4, diary)
    assert diary.stages == [(0, False), (1, False), (2, True), (3, True)]
    trained = diary.after[1]  # with five steps of D for one of G, epoch 0 has none of G
    weights = {name for name, _ in model.named_parameters() if name in gan}
    kept = {name for name in weights if torch.equal(gan[name], trained[name])}
    # A Wasserstein loss does not depend on it.
    assert kept == ({"model.discriminator.logit.bias"} if preset == "paper" else set())
    after = list(model.model.encoder.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(encoder, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    assert diary.at_switch is not None
    assert any("running_var" in name for name in diary.at_switch)
    assert same(diary.at_switch, gan_of(model))
    assert same(diary.at_switch, diary.after[2])


def test_the_encoder_has_the_last_epochs_but_no_more_than_half(
    rendered_set: Path, tmp_path: Path
) -> None:
    for name, encoder_epochs, expected in (("one", 1, [4]), ("many", 10, [3, 4])):
        diary = Diary()
        fit(FAnoGAN(**TINY, encoder_epochs=encoder_epochs), rendered_set, tmp_path / name, 5, diary)
        assert [epoch for epoch, encoding in diary.stages if encoding] == expected
        assert len(diary.stages) == 5


def test_the_encoder_starts_from_the_best_gan(rendered_set: Path, tmp_path: Path) -> None:
    diary = Diary()
    fit(FAnoGAN(**TINY), rendered_set, tmp_path, 6, Worsen(), diary)
    gan = diary.residuals[:3]
    best = int(np.argmin(gan))
    assert best < 2 < 3 == [encoding for _, encoding in diary.stages].index(True)
    assert diary.at_switch is not None
    assert not same(diary.after[2], diary.at_switch)
    assert same(diary.after[best], diary.at_switch)


def test_a_lost_gan_leaves_the_encoder_its_best_epoch(rendered_set: Path, tmp_path: Path) -> None:
    model, diary = FAnoGAN(**TINY), Diary()
    with pytest.warns(UserWarning, match="training diverged at epoch 2"):
        engine = fit(model, rendered_set, tmp_path, 8, Spoil(2), diary)
    first = diary.stages.index((2, True))
    assert diary.stages[first:] == [(epoch, True) for epoch in range(2, 8)]
    assert diary.at_switch is not None
    assert same(diary.after[int(np.argmin(diary.residuals[:2]))], diary.at_switch)
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    callbacks: list[Callback] = engine.trainer.callbacks  # type: ignore[attr-defined]
    watch = next(callback for callback in callbacks if isinstance(callback, TrainingWatch))
    assert watch.health.problem is not None
    assert watch.health.best_epoch >= 2, "the encoder's epochs are watched by themselves"


def test_one_epoch_is_too_few_for_two_stages(rendered_set: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"max_epochs of at least 2, got 1; give .*gan_checkpoint"):
        fit(FAnoGAN(**TINY), rendered_set, tmp_path, 1)


def test_training_goes_on_in_the_middle_of_the_gan(rendered_set: Path, tmp_path: Path) -> None:
    first, resumed, diary = FAnoGAN(**TINY), FAnoGAN(**TINY), Diary()
    with pytest.warns(UserWarning, match="ended before the encoder was trained"):
        engine = fit(first, rendered_set, tmp_path / "first", 6, StopAfter(1))
    updates = first.updates
    fit(resumed, rendered_set, tmp_path / "again", 6, diary, ckpt=str(engine.best_model_path))
    assert diary.stages == [(2, False), (3, True), (4, True), (5, True)]
    assert resumed.updates == 3 * updates / 2, "counted anew in each stage"


def test_training_goes_on_in_the_middle_of_the_encoder(rendered_set: Path, tmp_path: Path) -> None:
    first, resumed, diary = FAnoGAN(**TINY), FAnoGAN(**TINY), Diary()
    engine = fit(first, rendered_set, tmp_path / "first", 4)
    updates = first.updates
    # More epochs move the end of the first stage behind the epoch that this goes on from.
    fit(resumed, rendered_set, tmp_path / "again", 12, diary, ckpt=str(engine.best_model_path))
    assert diary.stages == [(epoch, True) for epoch in range(4, 12)]
    assert diary.at_switch is not None
    assert same(gan_of(first), diary.at_switch)
    assert same(gan_of(first), gan_of(resumed))
    assert resumed.updates == 5 * updates
    assert resumed.remedy == first.remedy != FAnoGAN.remedy


def test_a_fitted_model_is_trained_anew(rendered_set: Path, tmp_path: Path) -> None:
    model, diary = FAnoGAN(**TINY), Diary()
    fit(model, rendered_set, tmp_path / "first", 2)
    fit(model, rendered_set, tmp_path / "second", 2, diary)
    assert diary.stages == [(0, False), (1, True)]


def test_a_gan_from_anogan(anogan: tuple[str, State], rendered_set: Path, tmp_path: Path) -> None:
    path, gan = anogan
    model, diary = FAnoGAN(**TINY, gan_checkpoint=path), Diary()
    engine = fit(model, rendered_set, tmp_path / "first", 1, diary)
    assert diary.stages == [(0, True)]
    taken = {name: value for name, value in gan.items() if name.startswith("model.")}
    assert same(taken, gan_of(model))
    # What it left serves as a GAN as well, and to go on from, without the first file.
    again = FAnoGAN(**TINY, gan_checkpoint=str(engine.best_model_path))
    fit(again, rendered_set, tmp_path / "second", 1)
    assert same(taken, gan_of(again))
    gone = FAnoGAN(**TINY, gan_checkpoint="gone.ckpt")
    fit(gone, rendered_set, tmp_path / "third", 2, ckpt=str(engine.best_model_path))
    assert same(taken, gan_of(gone))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"width": 8}, r"expected width=8, found width=4; give width=4"),
        ({"latent_size": 9}, r"expected latent_size=9, found latent_size=8"),
        ({"channels": 3}, r"expected channels=3, found channels=1"),
        ({"discriminator_norm": "batch"}, r"norm='batch', found discriminator_norm='none'"),
        ({"discriminator_norm": "spectral"}, r"norm='spectral', found discriminator_norm='none'"),
        (
            {"image_size": 64, "width": 2},
            r"expected image_size=64, width=2, found image_size=32, width=4",
        ),
    ],
)
def test_another_gan_is_named(
    arguments: dict[str, Any],
    named: str,
    anogan: tuple[str, State],
    rendered_set: Path,
    tmp_path: Path,
) -> None:
    model = FAnoGAN(**{**TINY, **arguments}, gan_checkpoint=anogan[0])
    with pytest.raises(ValueError, match=named):
        fit(model, rendered_set, tmp_path, 1)


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_a_gan_of_every_norm_is_recognised(norm: Any, rendered_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "gan.ckpt"
    gan = AnoGAN(**TINY, discriminator_norm=norm)
    torch.save({"state_dict": gan.state_dict()}, path)
    model = FAnoGAN(**TINY, discriminator_norm=norm, gan_checkpoint=str(path))
    fit(model, rendered_set, tmp_path, 1)
    images = torch.randn(3, 1, 32, 32)
    expected = gan.model.discriminator.eval()(images)
    torch.testing.assert_close(model.model.discriminator.eval()(images), expected)


def test_a_file_that_is_no_gan_is_named(rendered_set: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"found no file .*none\.ckpt; give"):
        fit(FAnoGAN(**TINY, gan_checkpoint="none.ckpt"), rendered_set, tmp_path, 1)
    text, other = tmp_path / "text.ckpt", tmp_path / "other.ckpt"
    text.write_text("not a checkpoint")
    torch.save({"state_dict": {"model.layer.weight": torch.zeros(3)}}, other)
    for path in (text, other):
        with pytest.raises(ValueError, match=f"{path.name} is not: train one of them"):
            fit(FAnoGAN(**TINY, gan_checkpoint=str(path)), rendered_set, tmp_path, 1)


def test_a_checkpoint_does_not_need_the_gans(
    anogan: tuple[str, State], rendered_set: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.ckpt"
    copy.write_bytes(Path(anogan[0]).read_bytes())
    model = FAnoGAN(**TINY, gan_checkpoint=str(copy))
    engine = fit(model, rendered_set, tmp_path, 1)
    copy.unlink()
    images = torch.rand(2, 1, 32, 32)
    loaded: Any = FAnoGAN.load_from_checkpoint(str(engine.best_model_path))
    assert torch.equal(loaded.model.score(images).pred_score, model.model.score(images).pred_score)
