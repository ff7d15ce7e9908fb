# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""EfficientGAN: its scores, its presets, its arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anomalib.engine import Engine

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.efficient_gan import EfficientGAN
from anogan_plugin.models.efficient_gan.presets import PRESETS

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8}


def fit(model: EfficientGAN, root: Path, folder: Path) -> Engine:
    engine = Engine(max_epochs=1, default_root_dir=folder, accelerator="cpu", devices=1)
    engine.fit(model, datamodule=ICMold(root=root, image_size=32, train_batch_size=8))
    return engine


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_trains(preset: Any, rendered_set: Path, tmp_path: Path) -> None:
    model = EfficientGAN(preset=preset, **TINY)
    before = [weight.clone() for weight in model.model.parameters()]
    engine = fit(model, rendered_set, tmp_path)
    after = list(model.model.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(weight).all() for weight in after)
    logged = engine.trainer.callback_metrics
    assert logged["held_out_residual"] > 0
    assert 0 <= logged["discriminator_accuracy"] <= 1


def test_colour_images(rendered_set: Path, tmp_path: Path) -> None:
    model = EfficientGAN(**TINY, channels=3)
    fit(model, rendered_set, tmp_path)
    scored = model.model.score(torch.rand(2, 3, 32, 32))
    assert scored.reconstruction is not None
    assert scored.reconstruction.shape == (2, 3, 32, 32)
    assert scored.anomaly_map.shape == (2, 32, 32)


@pytest.mark.parametrize("discrimination", ["features", "cross_entropy"])
def test_the_papers_score(discrimination: Any) -> None:
    torch.manual_seed(0)
    model = EfficientGAN(
        **TINY, channels=3, discrimination=discrimination, discrimination_weight=0.3
    ).eval()
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    networks = model.model
    with torch.no_grad():
        for weight in networks.encoder.parameters():
            weight.mul_(5)  # untrained codes are too small for D to see
    found = networks.score(images)
    with torch.no_grad():
        code = networks.encoder(images)
        reconstruction = networks.generator(code)
        f = networks.discriminator.features(images, code).double().numpy()
        f_again = networks.discriminator.features(reconstruction, code).double().numpy()
        probability = networks.discriminator(images, code).double().sigmoid().numpy()
    residual = np.abs(images.double().numpy() - reconstruction.double().numpy()).sum((1, 2, 3))
    l_d = {"features": np.abs(f - f_again).sum(1), "cross_entropy": -np.log(probability)}
    for name, expected in {**l_d, "residual": residual}.items():
        np.testing.assert_allclose(found.parts[name].numpy(), expected, rtol=1e-4)
    expected = 0.7 * residual + 0.3 * l_d[discrimination]
    np.testing.assert_allclose(found.pred_score.numpy(), expected, rtol=1e-4)
    of_pixels = np.abs((images - reconstruction).numpy()).mean(1)
    np.testing.assert_allclose(found.anomaly_map.numpy(), of_pixels, atol=1e-6)


def test_the_local_score_is_one_flag() -> None:
    torch.manual_seed(0)
    paper, local = EfficientGAN(**TINY), EfficientGAN(**TINY, image_score="local")
    local.load_state_dict(paper.state_dict())
    images = torch.rand(3, 1, 32, 32)
    both, chosen = paper.model.score(images), local.model.score(images)
    torch.testing.assert_close(both.pred_score, both.parts["paper"])
    torch.testing.assert_close(chosen.pred_score, both.parts["local"])
    assert local.score_arguments()["image_score"] == "local"


def test_nan_weights_are_not_scored() -> None:
    model = EfficientGAN(**TINY)
    with torch.no_grad():
        next(model.model.encoder.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="scored 2 of 2 images NaN"):
        model.model.score(torch.zeros(2, 1, 32, 32))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"preset": "best"}, "preset must be one of"),
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"latent_size": 0}, "latent_size must be at least 1"),
        ({"width": 0}, "width must be at least 1"),
        ({"discriminator_norm": "spectral"}, "discriminator_norm must be"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"r1_weight": -1.0}, "r1_weight must be"),
        ({"reconstruction_weight": -1.0}, "reconstruction_weight must be"),
        ({"ema_decay": 1.0}, "ema_decay must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"training_precision": "fp8"}, "training_precision must be one of"),
        ({"discrimination": "logits"}, "discrimination must be one of"),
        ({"discrimination_weight": 1.5}, "discrimination_weight must be in"),
        ({"image_score": "sum"}, "image_score must be one of"),
        ({"overkill": 2.0}, "overkill must be"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        EfficientGAN(**{**TINY, **arguments})


def test_the_paper_preset_is_the_papers() -> None:
    settings = PRESETS["paper"]
    assert (settings.latent_size, settings.ema_decay) == (200, 0.999)
    assert (settings.learning_rate, settings.betas) == (1e-5, (0.5, 0.999))
    assert (settings.dropout, settings.leak) == (0.5, 0.1)
    assert settings.discriminator_norm == "batch"
    assert settings.r1_weight == settings.reconstruction_weight == 0
    assert EfficientGAN(preset="paper", width=4).model.discrimination_weight == 0.1


def test_bf16_training_needs_no_trainers_precision(rendered_set: Path, tmp_path: Path) -> None:
    model = EfficientGAN(**TINY, training_precision="bf16")
    fit(model, rendered_set, tmp_path)
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    scored = model.model.score(torch.rand(2, 1, 32, 32))
    assert {part.dtype for part in scored.parts.values()} == {torch.float32}
