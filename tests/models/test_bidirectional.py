# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What EfficientGAN and ALAD share: discriminators of pairs, losses, who is updated by what."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from anogan_plugin.models.alad import ALAD
from anogan_plugin.models.components.bidirectional_gan import Game
from anogan_plugin.models.components.bidirectional_training import (
    discriminators_loss,
    swapped_loss,
)
from anogan_plugin.models.components.joint_discriminator import (
    ImagePairDiscriminator,
    JointDiscriminator,
    LatentPairDiscriminator,
    PairDiscriminator,
)
from anogan_plugin.models.components.modes import eval_mode
from anogan_plugin.models.efficient_gan import EfficientGAN

MODELS = [EfficientGAN, ALAD]
TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8}


class Bilinear(PairDiscriminator):
    """D(a, b) = w·Σa·Σb: slopes that can be written down."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.logit = nn.Identity()

    def features(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return self.weight * first.flatten(1).sum(1) * second.flatten(1).sum(1)


def bce(logits: torch.Tensor, target: float) -> torch.Tensor:
    return F.binary_cross_entropy(logits.sigmoid(), torch.full_like(logits, target))


def prepared(cls: Any, **arguments: Any) -> Any:
    """A model whose updates need no trainer; ``model.steps`` are its optimizers' moves."""
    torch.manual_seed(0)
    model = cls(**{**TINY, "training_precision": "fp32", **arguments}).train()
    optimizers = model.configure_optimizers()
    model.changed = []

    def descend(index: int, loss: torch.Tensor) -> torch.Tensor:
        before = {name: value.clone() for name, value in model.named_parameters()}
        optimizers[index].zero_grad()
        loss.backward()
        optimizers[index].step()
        after = dict(model.named_parameters())
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        model.changed.append({".".join(name.split(".")[:2]) for name in moved})
        return loss.detach()

    model.descend = descend
    model.log_dict = lambda *_, **__: None
    return model


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64])
def test_pairs_of_every_kind_are_judged(size: int, channels: int) -> None:
    images, latent = torch.randn(3, channels, size, size), torch.randn(3, 5)
    of_both = JointDiscriminator(size, channels, 5, 2, "batch", 0.1, 0.5)
    assert of_both.features(images, latent).shape == (3, 32)
    assert of_both(images, latent).shape == (3,)
    assert ImagePairDiscriminator(size, channels, 2, "batch", 0.2, 0.2)(images, -images).ndim == 1
    assert LatentPairDiscriminator(5, "none", 0.2, 0.2)(latent, -latent).shape == (3,)


def test_the_joint_features_by_hand() -> None:
    torch.manual_seed(0)
    d = JointDiscriminator(32, 1, 5, 2, "none", leak=0.1, dropout=0.5).eval()
    images, latent = torch.randn(3, 1, 32, 32), torch.randn(3, 5)

    def leaky(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x > 0, x, 0.1 * x)

    weights = dict(d.named_parameters())
    x = images
    for index in (0, 3, 6):  # convolution, LeakyReLU, dropout
        weight, bias = weights[f"of_image.{index}.weight"], weights[f"of_image.{index}.bias"]
        x = leaky(F.conv2d(x, weight, bias, stride=2, padding=1))
    z = leaky(latent @ weights["of_latent.0.weight"].T + weights["of_latent.0.bias"])
    both = torch.cat([x.flatten(1), z], 1)
    expected = leaky(both @ weights["joint.0.weight"].T + weights["joint.0.bias"])
    torch.testing.assert_close(d.features(images, latent), expected)
    logit = expected @ weights["logit.weight"][0] + weights["logit.bias"]
    torch.testing.assert_close(d(images, latent), logit)


def test_at_width_64_the_layers_are_zenatis() -> None:
    d = JointDiscriminator(64, 1, 200, 64, "batch", 0.1, 0.5)
    linear = [(m.in_features, m.out_features) for m in d.modules() if isinstance(m, nn.Linear)]
    assert linear == [(200, 512), (512 * 16 + 512, 1024), (1024, 1)]
    assert {m.p for m in d.modules() if isinstance(m, nn.Dropout)} == {0.5}
    assert {m.negative_slope for m in d.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}


def test_losses_are_binary_cross_entropies_with_the_labels_swapped() -> None:
    torch.manual_seed(0)
    pairs = [torch.randn(4, 3, requires_grad=True) for _ in range(4)]
    real, fake = (pairs[0], pairs[1]), (pairs[2], pairs[3])
    d = Bilinear(0.7)
    game = Game(d, real, fake)
    loss, accuracy = discriminators_loss([game], r1_weight=0.0)
    torch.testing.assert_close(loss, bce(d(*real), 1.0) + bce(d(*fake), 0.0))
    higher = [bool(r > f) for r in d(*real) for f in d(*fake)]
    assert float(accuracy) == pytest.approx(sum(higher) / 16)
    torch.testing.assert_close(swapped_loss([game]), bce(d(*fake), 1.0) + bce(d(*real), 0.0))
    both, _ = discriminators_loss([game, game], r1_weight=0.0)
    torch.testing.assert_close(both, 2 * loss)


def test_discriminators_leave_no_gradient_in_what_they_judge() -> None:
    real, fake = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    loss, _ = discriminators_loss([Game(Bilinear(1.0), (real, real), (fake, fake))], 1.0)
    loss.backward()
    assert real.grad is None
    assert fake.grad is None


def test_pairs_that_nobody_made_are_not_in_the_players_loss() -> None:
    d, given, made = Bilinear(1.0), torch.randn(4, 3), torch.randn(4, 3, requires_grad=True)
    loss = swapped_loss([Game(d, (given, given), (given, made))])
    torch.testing.assert_close(loss, bce(d(given, made), 1.0))


def test_r1_counts_both_halves_of_the_real_pair() -> None:
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0, 1.0]])
    game = Game(Bilinear(0.5), (a, b), (a, b))
    without, _ = discriminators_loss([game], 0.0)
    loss, _ = discriminators_loss([game], 10.0)
    # ∂D/∂a = 0.5·5 twice, ∂D/∂b = 0.5·3 three times: ½·(2·6.25 + 3·2.25) = 9.625
    assert float(loss.detach() - without.detach()) == pytest.approx(10 * 9.625)


@pytest.mark.parametrize("cls", MODELS)
def test_each_optimizer_moves_its_own_networks(cls: Any) -> None:
    model = prepared(cls)
    model.train_bidirectional(torch.rand(4, 1, 32, 32) * 2 - 1)
    assert model.changed == [{"trained.discriminator"}, {"trained.generator", "trained.encoder"}]
    assert all(weight.grad is None for weight in model.model.parameters())


@pytest.mark.parametrize(("cls", "g_and_e"), [(EfficientGAN, 1), (ALAD, 2)])
def test_no_needless_passes(cls: Any, g_and_e: int) -> None:
    model = prepared(cls, reconstruction_weight=0.0, r1_weight=0.0)
    passes: Counter[str] = Counter()
    for name, module in model.named_modules():
        if name.count(".") <= 2:
            module.register_forward_hook(lambda *_, name=name: passes.update([name]))
    model.train_bidirectional(torch.rand(4, 1, 32, 32))
    assert passes["trained.generator"] == passes["trained.encoder"] == g_and_e
    of_d = {name: n for name, n in passes.items() if name.startswith("trained.discriminator")}
    # Of each pair one pass for D and one for G and E; ALAD's (x, x) and (z, z) only for D.
    if cls is ALAD:
        assert [of_d[f"trained.discriminator.{d}"] for d in ("xz", "xx", "zz")] == [4, 3, 3]
    else:
        assert of_d["trained.discriminator"] == 4
    assert not [name for name in passes if name.startswith("model")]


@pytest.mark.parametrize("cls", MODELS)
def test_the_reconstruction_term_moves_the_encoder_alone(cls: Any) -> None:
    images = torch.rand(4, 1, 32, 32) * 2 - 1
    gradients = []
    for weight in (0.0, 5.0):
        model = prepared(cls, reconstruction_weight=weight, r1_weight=0.0)
        torch.manual_seed(1)
        model.train_bidirectional(images)
        networks = (model.trained.generator, model.trained.encoder)
        gradients.append([[p.grad.clone() for p in n.parameters()] for n in networks])
    (g_without, e_without), (g_with, e_with) = gradients
    for without, with_term in zip(g_without, g_with, strict=True):
        torch.testing.assert_close(without, with_term)
    assert not torch.allclose(e_without[0], e_with[0])


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("preset", ["default", "paper"])
def test_scores_do_not_depend_on_the_mode_and_leave_it(cls: Any, preset: str) -> None:
    model = prepared(cls, preset=preset)
    images = torch.rand(6, 1, 32, 32) * 2 - 1
    for _ in range(3):
        model.end_update(model.train_bidirectional(images), 6)
    in_training = model.train().model.score(images)
    assert all(module.training for module in model.model.modules())
    in_eval = model.eval().model.score(images)
    assert not any(module.training for module in model.model.modules())
    torch.testing.assert_close(in_training.parts, in_eval.parts)
    residual = float((images - in_eval.reconstruction).abs().mean())
    assert model.held_out_residual(images) == pytest.approx(residual, rel=1e-5)


@pytest.mark.parametrize("cls", MODELS)
def test_all_networks_that_score_are_moving_averages(cls: Any) -> None:
    model = prepared(cls, ema_decay=0.5)
    before = {name: value.clone() for name, value in model.model.named_parameters()}
    model.end_update(model.train_bidirectional(torch.rand(4, 1, 32, 32)), 4)
    trained = dict(model.trained.named_parameters())
    for name, value in model.model.named_parameters():
        # The first decay is 1/10, less than 0.5.
        torch.testing.assert_close(value, 0.1 * before[name] + 0.9 * trained[name].detach())


@pytest.mark.parametrize("cls", MODELS)
def test_the_defaults_codes_vary_as_latent_vectors_do(cls: Any) -> None:
    torch.manual_seed(0)
    images = torch.randn(64, 1, 32, 32) * 0.01  # nearly the same image
    code = cls(**TINY).trained.train().encoder(images)
    torch.testing.assert_close(code.mean(0), torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(code.var(0, correction=0), torch.ones(8), atol=0.05, rtol=0)
    of_paper = cls(preset="paper", **TINY).trained.train().encoder(images)
    assert (of_paper.var(0) < 0.5).all()


@pytest.mark.parametrize("cls", MODELS)
def test_samples_are_the_same_every_time(cls: Any) -> None:
    model = prepared(cls)
    images = torch.zeros(5, 1, 32, 32)
    samples = model.samples(images)
    assert samples.shape == images.shape
    torch.testing.assert_close(samples, model.samples(images))


def test_eval_mode_is_undone_after_an_error() -> None:
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2).eval())
    seen = []

    def run() -> None:
        with eval_mode(network):
            seen.extend([network.training, torch.is_grad_enabled()])
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        run()
    assert seen == [False, False]
    assert [module.training for module in network.modules()] == [True, True, False]
