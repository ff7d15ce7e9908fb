# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN: its loss, score, presets and arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.latent_search import LatentSearch
from anogan_plugin.models.anogan.presets import PRESETS as ANOGAN_PRESETS
from anogan_plugin.models.components.weight_cache import WeightCache
from anogan_plugin.models.f_anogan import FAnoGAN
from anogan_plugin.models.f_anogan.presets import ENCODERS, GANS, OPTIMIZERS
from tests.models.f_anogan_runs import TINY, fit


def perturbed(**arguments: Any) -> FAnoGAN:
    """A model whose BatchNorm statistics are not those it was built with."""
    torch.manual_seed(0)
    model = FAnoGAN(**TINY, **arguments)
    networks = model.model
    with torch.no_grad():
        for weight in networks.generator.parameters():
            weight.mul_(5)  # images that are not all but zero
        for _ in range(3):
            networks.generator.train()(torch.randn(8, 8) * 3)
            networks.encoder.train()(torch.randn(8, 1, 32, 32) * 2)
            networks.discriminator.train()(torch.randn(8, 1, 32, 32) * 2)
        for weight in networks.encoder.parameters():
            weight.mul_(3)
    return model


def by_hand(first: torch.Tensor, second: torch.Tensor) -> Any:
    difference = first.detach().double().numpy() - second.detach().double().numpy()
    return np.array([np.sum(row**2) / row.size for row in difference])


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_score_by_hand(norm: Any) -> None:
    model = perturbed(discriminator_norm=norm, discrimination_weight=0.7).train().model
    images = torch.rand(5, 1, 32, 32) * 2 - 1
    scored = model.score(images)
    assert model.encoder.training, "scoring leaves the mode alone"
    model.eval()
    made = model.generator(model.encoder(images))
    features = model.discriminator.features
    residual = by_hand(images, made)
    discrimination = by_hand(features(images), features(made))
    expected = residual + 0.7 * discrimination
    np.testing.assert_allclose(scored.parts["residual"], residual, rtol=1e-4)
    np.testing.assert_allclose(scored.parts["discrimination"], discrimination, rtol=1e-3)
    np.testing.assert_allclose(scored.pred_score, expected, rtol=1e-3)
    difference = np.abs((images - made).detach().numpy())[:, 0]
    np.testing.assert_allclose(scored.anomaly_map, difference, atol=1e-4)


def test_loss_by_hand_and_its_gradient_reaches_the_encoder_alone() -> None:
    model = perturbed(discriminator_norm="batch", discrimination_weight=0.7).train().model
    images = torch.rand(5, 1, 32, 32) * 2 - 1
    latent = model.encoder(images)
    loss = model.encoder_loss(images)
    loss.backward()
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert reached == {n for n, _ in model.named_parameters() if n.startswith("encoder.")}
    model.eval()
    features = model.discriminator.features
    made = model.generator(latent)
    expected = by_hand(images, made) + 0.7 * by_hand(features(images), features(made))
    assert loss.item() == pytest.approx(expected.mean(), rel=1e-4)


def test_image_scores() -> None:
    paper, local = perturbed(), perturbed(image_score="local")
    images = torch.rand(3, 1, 32, 32)
    both, chosen = paper.model.score(images), local.model.score(images)
    torch.testing.assert_close(both.pred_score, both.parts["paper"])
    torch.testing.assert_close(chosen.pred_score, both.parts["local"])


def test_a_changed_encoder_is_seen() -> None:
    model = perturbed().model
    images = torch.rand(3, 1, 32, 32)
    before = model.score(images).pred_score
    with torch.no_grad():
        next(model.encoder.parameters()).mul_(2)
    assert not torch.allclose(model.score(images).pred_score, before)


def test_what_is_made_of_weights_is_made_again_when_they_change() -> None:
    cache, network = WeightCache[object](), torch.nn.BatchNorm2d(2)
    first = cache.get(object, network, settings=1)
    assert cache.get(object, network, settings=1) is first
    second = cache.get(object, network, settings=2)
    assert second is not first
    with torch.no_grad():
        network(torch.randn(4, 2, 3, 3))  # moves the running statistics and no weight
    assert cache.get(object, network, settings=2) is not second


def test_what_is_watched_in_the_second_stage(rendered_set: Path) -> None:
    model = perturbed().train()
    images = torch.rand(6, 1, 32, 32) * 2 - 1
    noise, searched = model.samples(images), model.held_out_residual(images)
    assert model.next_stage()
    assert not model.next_stage(), "there is no third stage"
    made = model.samples(images)
    model.eval()
    expected_images = model.model.generator(model.model.encoder(images))
    torch.testing.assert_close(made, expected_images, rtol=0, atol=1e-4)
    assert not torch.allclose(made, noise, atol=0.1)
    expected = float((images - made).abs().mean())
    assert model.held_out_residual(images) == pytest.approx(expected, rel=1e-4)
    assert searched != pytest.approx(expected, rel=1e-2)


def test_the_search_starts_from_the_code_and_betters_it(
    rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = FAnoGAN(**TINY, search_steps=40, search_precision="fp32")
    engine = fit(model, rendered_set, tmp_path, 12)
    starts: list[torch.Tensor] = []
    search = LatentSearch.__call__

    def noting(self: LatentSearch, *args: Any, **kwargs: Any) -> Any:
        starts.append(kwargs["start"])
        return search(self, *args, **kwargs)

    monkeypatch.setattr(LatentSearch, "__call__", noting)
    data = ICMold(root=rendered_set, image_size=32)
    data.setup()
    items: list[Any] = [data.test_data[i] for i in range(len(data.test_data))]
    images = torch.stack([item.image[:1] for item in items]) * 2 - 1
    refined = model.model.score(images)
    assert refined.reconstruction is not None
    networks = model.model.eval()
    code = networks.encoder(images)
    torch.testing.assert_close(starts[0], code)
    before = (images - networks.generator(code)).abs().sum((1, 2, 3))
    after = (images - refined.reconstruction).abs().sum((1, 2, 3))
    assert (after < before).all()
    assert engine.test(model, datamodule=data)[0]["image_AUROC"] >= 0
    with pytest.warns(UserWarning, match="thresholds in the checkpoint are for"):
        FAnoGAN.load_from_checkpoint(str(engine.best_model_path), search_steps=0)


def test_without_steps_there_is_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    model = perturbed()
    monkeypatch.setattr(LatentSearch, "__call__", None)
    model.model.score(torch.rand(2, 1, 32, 32))


def test_paper_preset_is_the_papers() -> None:
    gan, encoder = GANS["paper"], ENCODERS["paper"]
    assert (gan.adversarial_loss, gan.slope_weight, gan.critic_steps) == ("wasserstein", 10.0, 5)
    assert (gan.learning_rate, gan.betas, gan.latent_size) == (1e-4, (0.0, 0.9), 128)
    assert (gan.discriminator_norm, gan.ema_decay, gan.r1_weight) == ("none", 0.0, 0.0)
    assert (encoder.optimizer, encoder.learning_rate) == ("rmsprop", 5e-5)
    assert FAnoGAN(**TINY).model.discrimination_weight == 1.0
    optimizers = FAnoGAN(**TINY, preset="paper").configure_optimizers()
    assert [type(optimizer).__name__ for optimizer in optimizers] == ["Adam", "Adam", "RMSprop"]
    assert [optimizer.param_groups[0]["lr"] for optimizer in optimizers] == [1e-4, 1e-4, 5e-5]


def test_default_gan_is_anogans() -> None:
    assert GANS["default"] is ANOGAN_PRESETS["default"]
    assert {encoder.optimizer for encoder in ENCODERS.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"preset": "best"}, "preset must be one of"),
        ({"image_size": 50}, "image_size must be one of"),
        ({"channels": 2}, "channels must be"),
        ({"image_score": "max"}, "image_score must be one of"),
        ({"search_steps": -5}, "search steps must be"),
        ({"encoder_epochs": 0}, "encoder_epochs must be at least 1, got 0"),
        ({"encoder_learning_rate": 0.0}, "^encoder_learning_rate must be positive, got 0.0"),
        ({"learning_rate": -1.0}, "^learning_rate must be"),
        ({"discrimination_weight": -1.0}, "discrimination_weight must be at least 0, got -1.0"),
        ({"discriminator_norm": "layer"}, "discriminator_norm must be one of"),
        ({"adversarial_loss": "wgan"}, "adversarial_loss must be one of"),
        ({"training_precision": "fp8"}, "training_precision must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        FAnoGAN(**{**TINY, **arguments})


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_bf16_and_colour(preset: Any, rendered_set: Path, tmp_path: Path) -> None:
    arguments = {**TINY, "channels": 3}
    model = FAnoGAN(preset=preset, training_precision="bf16", **arguments)
    engine = fit(model, rendered_set, tmp_path, 2)
    assert np.isfinite(float(engine.trainer.callback_metrics["held_out_residual"]))
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    assert model.model.score(torch.rand(2, 3, 32, 32)).anomaly_map.shape == (2, 32, 32)
