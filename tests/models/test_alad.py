# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ALAD: its games, its scores, its presets, its arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anomalib.engine import Engine
from torch import nn

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.alad import ALAD
from anogan_plugin.models.alad.presets import PRESETS
from anogan_plugin.models.alad.torch_model import IMAGE_SCORES

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8}


def fit(model: ALAD, root: Path, folder: Path) -> Engine:
    engine = Engine(max_epochs=1, default_root_dir=folder, accelerator="cpu", devices=1)
    engine.fit(model, datamodule=ICMold(root=root, image_size=32, train_batch_size=8))
    return engine


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_trains(preset: Any, rendered_set: Path, tmp_path: Path) -> None:
    model = ALAD(preset=preset, **TINY)
    before = [weight.clone() for weight in model.model.parameters()]
    engine = fit(model, rendered_set, tmp_path)
    after = list(model.model.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in after)
    assert engine.trainer.callback_metrics["held_out_residual"] > 0


def test_the_three_games() -> None:
    torch.manual_seed(0)
    model = ALAD(**TINY).model.eval()
    images, latent = torch.rand(3, 1, 32, 32), torch.randn(3, 8)
    with torch.no_grad():
        xz, xx, zz = model.games(images, latent)
        code, fake = model.encoder(images), model.generator(latent)
        expected = [
            (model.discriminator.xz, (images, code), (fake, latent)),
            (model.discriminator.xx, (images, images), (images, model.generator(code))),
            (model.discriminator.zz, (latent, latent), (latent, model.encoder(fake))),
        ]
    for game, (discriminator, real, fake_pair) in zip((xz, xx, zz), expected, strict=True):
        assert game.discriminator is discriminator
        torch.testing.assert_close(game.real, real)
        torch.testing.assert_close(game.fake, fake_pair)


def test_the_papers_four_scores() -> None:
    torch.manual_seed(0)
    model = ALAD(**TINY, channels=3).eval().model
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    found = model.score(images)
    with torch.no_grad():
        reconstruction = model.generator(model.encoder(images))
        d = model.discriminator.xx
        f = d.features(images, images).double().numpy()
        f_again = d.features(images, reconstruction).double().numpy()
        probability = d(images, reconstruction).double().sigmoid().numpy()
    difference = (images - reconstruction).double().numpy().reshape(3, -1)
    expected = {
        "features": np.abs(f - f_again).sum(1),
        "l1": np.linalg.norm(difference, 1, axis=1),
        "l2": np.linalg.norm(difference, 2, axis=1),
        "logits": -np.log(probability),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found.parts[name].numpy(), value, rtol=1e-4)
    torch.testing.assert_close(found.pred_score, found.parts["features"])
    of_pixels = np.abs((images - reconstruction).numpy()).mean(1)
    np.testing.assert_allclose(found.anomaly_map.numpy(), of_pixels, atol=1e-6)


@pytest.mark.parametrize("image_score", IMAGE_SCORES)
def test_every_score_is_one_flag(image_score: Any) -> None:
    model = ALAD(**TINY, image_score=image_score)
    model.learn_from_good(torch.rand(8, 1, 32, 32))
    scores = model.model.score(torch.rand(3, 1, 32, 32))
    assert sorted(scores.parts) == sorted(IMAGE_SCORES)
    torch.testing.assert_close(scores.pred_score, scores.parts[image_score])
    assert model.score_arguments() == {"image_score": image_score}


def test_a_perfect_reconstruction_scores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ALAD(**TINY).model
    images = torch.rand(2, 1, 32, 32)
    monkeypatch.setattr(model, "encoder", nn.Flatten())
    monkeypatch.setattr(model, "generator", nn.Unflatten(1, (1, 32, 32)))
    parts = model.score(images).parts
    for name in ("features", "l1", "l2", "local"):
        assert parts[name].tolist() == [0, 0]


def gain(layer: nn.Module) -> float:
    """Largest singular value of a layer's weight as a matrix of one row per output."""
    weight: Any = layer.weight
    return float(np.linalg.norm(weight.detach().flatten(1).double().numpy(), 2))


def test_spectral_norm_bounds_all_layers_but_the_last() -> None:
    torch.manual_seed(0)
    model = ALAD(preset="paper", **TINY)
    networks = model.trained
    for _ in range(50):  # power iterations
        networks.games(torch.rand(4, 1, 32, 32), torch.randn(4, 8))
        networks.discriminator.xz(torch.rand(4, 1, 32, 32), torch.randn(4, 8))
    for network in (networks.encoder, networks.discriminator.xz):
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert [gain(layer) for layer in layers[:-1]] == pytest.approx([1] * len(layers[:-1]), 0.05)
        assert not nn.utils.parametrize.is_parametrized(layers[-1])
    for network in (networks.generator, ALAD(**TINY, spectral_norm=False).model):
        assert not any(nn.utils.parametrize.is_parametrized(m) for m in network.modules())


def test_moving_averages_keep_the_spectral_norm() -> None:
    torch.manual_seed(0)
    model: Any = ALAD(**TINY, spectral_norm=True, ema_decay=0.5)
    model.log_dict = lambda *_, **__: None
    layer, average = (m.discriminator.zz.of_latents[0][0] for m in (model.trained, model.model))
    weights = torch.randn(2, *layer.weight.shape)  # of quite other singular vectors
    for update in range(20):
        layer.parametrizations.weight.original.data = weights[update % 2].clone()
        for _ in range(10):  # power iterations of the layer in training
            layer.train()(torch.randn(4, 16))
        model.updates = 100  # past the warm-up of the averages
        model.end_update({}, 4)
    model.eval()
    assert gain(average) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"preset": "best"}, "preset must be one of"),
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"latent_size": 0}, "latent_size must be at least 1"),
        ({"discriminator_norm": "spectral"}, "discriminator_norm must be"),
        ({"dropout": -0.1}, "dropout must be in"),
        ({"r1_weight": -1.0}, "r1_weight must be"),
        ({"reconstruction_weight": -1.0}, "reconstruction_weight must be"),
        ({"ema_decay": 1.0}, "ema_decay must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"training_precision": "fp8"}, "training_precision must be one of"),
        ({"image_score": "paper"}, "image_score must be one of"),
        ({"overkill": 2.0}, "overkill must be"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ALAD(**{**TINY, **arguments})


def test_the_paper_preset_is_the_papers() -> None:
    settings = PRESETS["paper"]
    assert (settings.latent_size, settings.ema_decay) == (100, 0.999)
    assert (settings.learning_rate, settings.betas) == (2e-4, (0.5, 0.999))
    assert (settings.dropout, settings.leak) == (0.2, 0.2)
    assert settings.spectral_norm
    assert settings.r1_weight == settings.reconstruction_weight == 0


def test_bf16_training_needs_no_trainers_precision(rendered_set: Path, tmp_path: Path) -> None:
    model = ALAD(**TINY, training_precision="bf16", spectral_norm=True)
    fit(model, rendered_set, tmp_path)
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
