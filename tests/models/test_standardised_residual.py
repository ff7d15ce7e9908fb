# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The standardised residual against numpy and scipy, and in the models that score by it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anomalib.engine import Engine
from scipy.ndimage import gaussian_filter

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.anogan import AnoGAN
from anogan_plugin.models.components.standardised_residual import StandardisedResidual
from anogan_plugin.models.components.training_watch import selecting
from anogan_plugin.models.conv_autoencoder import ConvAutoencoder

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 2}


def by_numpy(good: np.ndarray, tested: np.ndarray, directions: int) -> np.ndarray:
    """The docstring's definition for images of at most 64 pixels, with tools of others."""
    size = good.shape[-1]
    flat, centre = good.reshape(len(good), -1), good.reshape(len(good), -1).mean(0)
    v = np.linalg.svd(flat - centre, full_matrices=False)[2][:directions].T

    def left(images: np.ndarray) -> np.ndarray:
        offset = images.reshape(len(images), -1) - centre
        return (offset - offset @ v @ v.T).reshape(images.shape)

    mean, deviation = left(good).mean(0), np.sqrt(left(good).var(0, ddof=1) + 0.02**2)

    def smoothed(images: np.ndarray) -> np.ndarray:
        unusual = np.abs((left(images) - mean) / deviation).mean(1)
        sigma = size / 64
        radius = max(1, round(3 * sigma))
        return np.stack([gaussian_filter(u, sigma, mode="mirror", radius=radius) for u in unusual])

    a = smoothed(good)
    return (smoothed(tested) - a.mean(0)) / np.sqrt(a.var(0, ddof=1) + 0.1**2)


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 1), (16, 3)])
def test_it_is_what_its_definition_says(size: int, channels: int) -> None:
    noise = np.random.default_rng(0)
    light = noise.normal(size=(96, 1, 1, 1)) * np.linspace(0, 1, size)
    good = (light + 0.1 * noise.normal(size=(96, channels, size, size))).astype(np.float32)
    tested = good[:5] + 0.2 * noise.normal(size=(5, channels, size, size)).astype(np.float32)
    standardised = StandardisedResidual(size, channels)
    standardised.fit(torch.tensor(good))
    expected = by_numpy(good.astype(float), tested.astype(float), directions=96 // 32)
    np.testing.assert_allclose(standardised(torch.tensor(tested)), expected, rtol=2e-3, atol=2e-3)


def test_what_all_good_images_vary_in_counts_for_nothing() -> None:
    gradient = torch.linspace(-1, 1, 32).expand(1, 32, 32)
    strengths = torch.randn(64, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(64, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    standardised = StandardisedResidual(32, 1)
    standardised.fit(strengths * gradient + 0.05 * noise)
    brightened = standardised(5 * gradient[None] + 0.05 * noise[:1])
    assert brightened.max() < 6  # five deviations of light, and no spot stands out
    spot = 0.05 * noise[:1].clone()
    spot[0, 0, 20:23, 5:8] += 1.0
    found = standardised(spot)[0]
    assert found.max() > 20
    row, column = divmod(int(found.argmax()), 32)
    assert 20 <= row <= 22
    assert 5 <= column <= 7


@pytest.mark.parametrize("size", [128, 256])
def test_large_images_take_their_directions_at_64_pixels(size: int) -> None:
    standardised = StandardisedResidual(size, 1)
    assert standardised.directions.shape == (64, 64 * 64)
    standardised.fit(torch.randn(40, 1, size, size))
    assert standardised(torch.zeros(2, 1, size, size)).shape == (2, size, size)


def test_too_few_good_images_are_refused() -> None:
    with pytest.raises(ValueError, match="number_of_good_images must be at least 8, got 7"):
        StandardisedResidual(32, 1).fit(torch.randn(7, 1, 32, 32))


def test_a_checkpoint_knows_whether_it_has_been_fitted() -> None:
    first, second = StandardisedResidual(32, 1), StandardisedResidual(32, 1)
    second.load_state_dict(first.state_dict())
    assert not second.fitted
    first.fit(torch.randn(40, 1, 32, 32))
    second.load_state_dict(first.state_dict())
    assert second.fitted
    residuals = torch.randn(3, 1, 32, 32)
    torch.testing.assert_close(first(residuals), second(residuals))


class Noting(ConvAutoencoder):
    """Notes what it is standardised and calibrated on."""

    def learn_from_good(self, images: torch.Tensor) -> None:
        self.learnt_from = images
        super().learn_from_good(images)

    def calibrate(self, images: torch.Tensor) -> None:
        self.calibrated_on = images
        super().calibrate(images)


def test_no_image_both_standardises_and_sets_the_threshold(
    rendered_set: Path, tmp_path: Path
) -> None:
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8, held_out_ratio=0.5)
    model = Noting(image_size=32, width=4, latent_size=8, image_score="standardised")
    engine = Engine(max_epochs=2, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    engine.fit(model, datamodule=data)
    held_out, trained_on = len(data.val_data), len(data.train_data)
    assert (held_out, trained_on) == (12, 12)
    assert len(model.learnt_from) == trained_on + selecting(held_out)
    assert len(model.calibrated_on) == held_out - selecting(held_out)
    for image in model.calibrated_on:
        assert (model.learnt_from - image).abs().flatten(1).amax(1).min() > 0
    (scores,) = engine.test(model, datamodule=data)
    assert 0 <= scores["image_AUROC"] <= 1


def test_the_inspection_preset_survives_its_checkpoint(rendered_set: Path, tmp_path: Path) -> None:
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    model = AnoGAN(preset="inspection", **TINY)
    engine = Engine(max_epochs=1, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    engine.fit(model, datamodule=data)
    assert model.model.search.map_steps > 0
    loaded = AnoGAN.load_from_checkpoint(Path(str(engine.best_model_path)), map_location="cpu")
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    before, after = (each.eval().model.score(images) for each in (model, loaded))  # type: ignore[operator]
    torch.testing.assert_close(before.pred_score, after.pred_score, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(before.pred_score, before.anomaly_map.amax((1, 2)))


def test_without_a_training_it_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="train it with image_score standardised"):
        AnoGAN(preset="inspection", **TINY).model.score(torch.zeros(1, 1, 32, 32))


def test_a_search_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="give search refined, or preset inspection"):
        AnoGAN(search="fast", image_score="standardised", **TINY)
