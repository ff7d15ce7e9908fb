# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ConvAutoencoder and VAE have in common, and their trainings."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from anomalib.engine import Engine
from lightning.pytorch import Callback, Trainer

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.components.health import (
    TrainingDivergedError,
    TrainingHealth,
    diversity,
)
from anogan_plugin.models.components.visualization import ReconstructionVisualizer
from anogan_plugin.models.conv_autoencoder import ConvAutoencoder
from anogan_plugin.models.conv_autoencoder.presets import PRESETS
from anogan_plugin.models.vae import VAE

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8}
VARIANTS: list[Any] = [
    *((ConvAutoencoder, {"preset": name}) for name in PRESETS),
    *((ConvAutoencoder, {"loss": loss}) for loss in ("l2", "l1", "ssim")),
    (VAE, {}),
]


def fit(model: Any, root: Path, folder: Path, epochs: int = 1, *callbacks: Callback) -> Engine:
    engine = Engine(
        max_epochs=epochs,
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        callbacks=list(callbacks),
    )
    engine.fit(model, datamodule=ICMold(root=root, image_size=32, train_batch_size=8))
    return engine


def four_images() -> torch.Tensor:
    """Each bright in another corner."""
    corners = torch.eye(4).view(4, 1, 2, 2)
    return corners.repeat_interleave(16, 2).repeat_interleave(16, 3) - 0.5


def learn_by_heart(model: Any, images: torch.Tensor) -> list[float]:
    (optimizer,) = model.configure_optimizers()
    losses = []
    for _ in range(100):
        loss = model.model.training_losses(images)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("kind", "arguments"), VARIANTS)
def test_every_variant_trains(
    kind: Any, arguments: dict[str, Any], precision: str, rendered_set: Path, tmp_path: Path
) -> None:
    model = kind(**TINY, **arguments, training_precision=precision)
    before = [weight.clone() for weight in model.model.parameters()]
    engine = fit(model, rendered_set, tmp_path)
    after = list(model.model.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in after)
    assert all(weight.dtype == torch.float32 for weight in after)
    assert torch.isfinite(torch.as_tensor(engine.trainer.callback_metrics["held_out_residual"]))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (ConvAutoencoder, {"loss": "l2"}),
        (ConvAutoencoder, {"loss": "l1"}),
        (ConvAutoencoder, {"loss": "ssim"}),
        (VAE, {}),
    ],
)
def test_four_images_are_learned_by_heart(kind: Any, arguments: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = kind(image_size=32, width=8, latent_size=16, learning_rate=1e-2, **arguments)
    losses = learn_by_heart(model, four_images())
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("kind", [ConvAutoencoder, VAE])
def test_the_residual_and_the_samples_are_of_the_reconstruction(kind: Any) -> None:
    torch.manual_seed(0)
    model = kind(**TINY).eval()
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        reconstruction = model.model.score(images).reconstruction
        torch.testing.assert_close(model.samples(images), reconstruction)
    by_hand = abs(images.numpy() - reconstruction.numpy()).mean()
    assert model.held_out_residual(images) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "image_score"),
    [*product([ConvAutoencoder, VAE], ["sum", "mean", "local"]), (VAE, "elbo")],
)
def test_the_score_is_one_flag(kind: Any, image_score: Any) -> None:
    torch.manual_seed(0)
    model = kind(**TINY, image_score=image_score).eval()
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        scored = model.model.score(images)
    torch.testing.assert_close(scored.pred_score, scored.parts[image_score])
    others = {"mean", "local"} - {image_score}
    assert all(not torch.allclose(scored.pred_score, scored.parts[name]) for name in others)
    assert model.score_arguments()["image_score"] == image_score


@pytest.mark.parametrize("kind", [ConvAutoencoder, VAE])
def test_colour_images(kind: Any, rendered_set: Path, tmp_path: Path) -> None:
    model = kind(**TINY, channels=3)
    fit(model, rendered_set, tmp_path)
    scored = model.eval().model.score(torch.rand(2, 3, 32, 32))
    assert scored.reconstruction.shape == (2, 3, 32, 32)
    assert scored.anomaly_map.shape == (2, 32, 32)


class Spoil(Callback):
    """Writes a number into the decoder's first layer at the start of every epoch."""

    def __init__(self, value: float) -> None:
        self.value = value

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        with torch.no_grad():
            next(pl_module.model.decoder.parameters()).fill_(self.value)


def test_nan_is_named(rendered_set: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDivergedError, match=r"epoch 0: loss is nan.*kl_weight"):
        fit(VAE(**TINY), rendered_set, tmp_path, 2, Spoil(float("nan")))


@pytest.mark.parametrize(("kl_weight", "collapses"), [(1.0, False), (1e5, True)])
def test_posterior_collapse_is_named(kl_weight: float, collapses: bool) -> None:
    # Where the KL term is all that counts, q(z|x) = N(0, I) for every x, and x̂ is one image.
    torch.manual_seed(0)
    model = VAE(image_size=32, width=8, latent_size=16, learning_rate=1e-2, kl_weight=kl_weight)
    learn_by_heart(model, four_images())
    with torch.no_grad():
        varies = diversity(model.eval().samples(four_images()), four_images())
    health = TrainingHealth(model.remedy)
    problems = [health.end_of_epoch(epoch, 10_000, 0.5, varies) for epoch in range(3)]
    assert (problems[-1] is not None) == collapses
    if collapses:
        assert re.search("collapsed.*lower kl_weight", str(problems[-1]))


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ValueError, match="preset must be one of"):
        ConvAutoencoder(preset="best")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [ConvAutoencoder, VAE])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"latent_size": 0}, "latent_size must be"),
        ({"width": 0}, "width must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"image_score": "paper"}, "image_score must be one of"),
        ({"training_precision": "fp8"}, "training_precision must be one of"),
        ({"overkill": 2.0}, "overkill must be"),
    ],
)
def test_bad_arguments_are_named(kind: Any, arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        kind(**{**TINY, **arguments})


def test_the_heat_map_is_hottest_at_the_same_difference() -> None:
    scales: list[float] = []
    for model in (ConvAutoencoder(loss="l2"), ConvAutoencoder(loss="l1"), VAE(pixel_std=0.1)):
        assert isinstance(model.visualizer, ReconstructionVisualizer)
        scales.append(model.visualizer.full_scale)
    # |x − x̂| = 1/2: squared, plain, and squared over 2σ²
    assert scales == pytest.approx([0.25, 0.5, 12.5])
