# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Shared parts of the models, against independent computations."""

import numpy as np
import pytest
import torch
from anomalib.data import ImageBatch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F

from anogan_plugin.models.components.adversarial_loss import (
    ADVERSARIAL_LOSSES,
    discriminator_loss,
    gradient_penalty,
    r1_penalty,
    ranking_accuracy,
)
from anogan_plugin.models.components.dcgan import Discriminator, Generator, layer_widths
from anogan_plugin.models.components.ema import update_average
from anogan_plugin.models.components.evaluation import AUROC, rank_preserving_unit_interval
from anogan_plugin.models.components.health import TrainingHealth, diversity
from anogan_plugin.models.components.held_out import fixed_latent, searched_residual
from anogan_plugin.models.components.image_scores import largest_local_mean, residual_map
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.score_table import drift


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_dcgan_makes_and_judges_every_size(size: int, channels: int) -> None:
    images = Generator(size, channels, latent_size=5, width=2)(torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    discriminator = Discriminator(size, channels, width=2, norm="batch")
    assert discriminator.features(images).shape == (2, layer_widths(size, 2)[-1], 4, 4)
    assert discriminator(images).shape == (2,)


def test_dcgan_of_64_pixels_is_radfords() -> None:
    generator = Generator(64, 1, latent_size=100, width=64)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [m.in_channels for m in convolutions] == [100, 512, 256, 128, 64]
    weights = torch.cat([m.weight.flatten() for m in convolutions])
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.01)
    norms = [
        m for m in Discriminator(64, 1, 64, "batch").modules() if isinstance(m, nn.BatchNorm2d)
    ]
    assert len(norms) == 3  # four stride-2 layers, none after the first


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((48, 1, 8), "image_size"), ((32, 2, 8), "channels"), ((32, 1, 0), "width")],
)
def test_unsupported_sizes_are_named(arguments: tuple[int, int, int], named: str) -> None:
    size, channels, width = arguments
    with pytest.raises(ValueError, match=named):
        Discriminator(size, channels, width, norm="spectral")


def test_bce_is_binary_cross_entropy() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(7), torch.randn(7)
    loss = ADVERSARIAL_LOSSES["bce"]
    ones, zeros = torch.ones(7), torch.zeros(7)
    expected = F.binary_cross_entropy(real.sigmoid(), ones) + F.binary_cross_entropy(
        fake.sigmoid(), zeros
    )
    torch.testing.assert_close(loss.discriminator(real, fake), expected)
    torch.testing.assert_close(loss.generator(fake), F.binary_cross_entropy(fake.sigmoid(), ones))


def test_hinge_by_hand() -> None:
    loss = ADVERSARIAL_LOSSES["hinge"]
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    # real: 0 and 0.5, mean 0.25; fake: 0 and 1, mean 0.5
    assert float(loss.discriminator(real, fake)) == pytest.approx(0.75)
    assert float(loss.generator(fake)) == pytest.approx(1.5)


def test_moving_average_by_hand() -> None:
    average, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(average.weight, 1.0)
    nn.init.constant_(network.weight, 3.0)
    update_average(average, network, decay=0.999, updates=0)  # warm-up: d = 1/10
    assert average.weight.item() == pytest.approx(0.1 * 1 + 0.9 * 3)
    update_average(average, network, decay=0.5, updates=10**6)
    assert average.weight.item() == pytest.approx(0.5 * 2.8 + 0.5 * 3)


def test_moving_average_without_decay_is_a_copy() -> None:
    torch.manual_seed(0)
    average, network = Generator(32, 1, 4, 2), Generator(32, 1, 4, 2)
    network(torch.randn(3, 4))
    update_average(average, network, decay=0.0, updates=0)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(average.state_dict()[name], value)


def test_rank_map_keeps_every_comparison() -> None:
    tiny, huge = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    values = [-huge, -800.5, -1.0, -tiny, 0.0, tiny, 0.5, 1.0, 1.0 + 2**-23, 22.0, 9e5, huge]
    mapped = rank_preserving_unit_interval(torch.tensor(values))
    assert (mapped.diff() > 0).all()
    assert mapped.min() >= 0
    assert mapped.max() < 1
    assert mapped.dtype == torch.float64
    zeros = rank_preserving_unit_interval(torch.tensor([0.0, -0.0]))
    assert zeros[0] == zeros[1]


@pytest.mark.parametrize("scale", [0.001, 1.0, 400.0, -400.0])
def test_auroc_is_scikit_learns_on_raw_scores(scale: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    scores = np.round((rng.normal(size=60) + labels) * scale + 300, 1).astype(np.float32)  # ties
    metric = AUROC(fields=["pred_score", "gt_label"], prefix="image_")
    for part in (slice(0, 25), slice(25, 60)):
        metric.update(
            ImageBatch(
                image=torch.zeros(len(scores[part]), 3, 4, 4),
                pred_score=torch.tensor(scores[part]),
                gt_label=torch.tensor(labels[part]),
            )
        )
    assert metric.name == "image_AUROC"
    assert float(metric.compute()) == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)


def test_largest_local_mean_by_hand() -> None:
    anomaly_map = torch.zeros(2, 64, 64)
    anomaly_map[0, 20:25, 30:35] = 2.0  # fills one window
    anomaly_map[1, 5, 5] = 1.0  # one pixel of a 5 x 5 window
    torch.testing.assert_close(largest_local_mean(anomaly_map), torch.tensor([2.0, 1 / 25]))


def test_residual_map_averages_channels() -> None:
    images = torch.tensor([[[[1.0]], [[0.0]], [[-1.0]]]])
    torch.testing.assert_close(
        residual_map(images, torch.zeros(1, 3, 1, 1)), torch.full((1, 1, 1), 2 / 3)
    )


def test_threshold_rejects_the_stated_share_of_good_images() -> None:
    scores = torch.arange(1.0, 101.0)
    processor = HeldOutGoodPostProcessor(overkill=0.05)
    assert not processor.calibrated
    processor.calibrate(scores[torch.randperm(100)], scores.reshape(100, 1, 1))
    assert processor.calibrated
    assert float(processor.image_threshold) == 96  # of 101 images, the one to come included
    rejected = scores > processor.image_threshold
    assert torch.equal(rejected, processor.p_values(scores) <= 0.05)
    batch = ImageBatch(
        image=torch.zeros(2, 3, 1, 1),
        pred_score=torch.tensor([95.0, 500.0]),
        anomaly_map=torch.zeros(2, 1, 1),
    )
    processor.post_process_batch(batch)
    assert batch.pred_label is not None
    assert batch.pred_label.tolist() == [False, True]
    assert batch.pred_score is not None
    assert batch.pred_score.tolist() == [95.0, 500.0], "scores stay raw"


def test_no_more_good_images_are_rejected_than_promised() -> None:
    generator = torch.Generator().manual_seed(0)
    processor = HeldOutGoodPostProcessor(overkill=0.1)
    rejected = []
    for _ in range(2000):
        good = torch.randn(25, generator=generator)
        processor.calibrate(good[:24], torch.zeros(24, 1, 1))
        rejected.append(good[24] > processor.image_threshold)
    # Two of 25 exactly, if ties are left aside: 0.08, give or take three standard errors.
    assert float(torch.stack(rejected).float().mean()) == pytest.approx(2 / 25, abs=0.019)


def test_too_few_good_images_for_the_promise_are_said() -> None:
    processor = HeldOutGoodPostProcessor(overkill=0.01)
    with pytest.warns(UserWarning, match=r"at least 99 held-out good images, found 20"):
        processor.calibrate(torch.arange(20.0), torch.zeros(20, 1, 1))
    assert float(processor.image_threshold) == 19


def test_of_many_good_images_quantiles_are_kept() -> None:
    processor = HeldOutGoodPostProcessor(overkill=0.01)
    processor.calibrate(torch.arange(1.0, 5001), torch.zeros(5000, 1, 1))  # the worst order
    assert float(processor.image_threshold) == 4951
    assert processor.good_scores[[0, -1]].tolist() == [1, 5000]
    for overkill in (0.5, 0.1, 0.01):
        processor.overkill = overkill
        exact = 5001 * (1 - overkill)
        assert processor.threshold_of(processor.good_scores) == pytest.approx(exact, abs=20)


def test_p_values_by_hand() -> None:
    processor = HeldOutGoodPostProcessor(0.1)
    assert processor.p_values(torch.tensor([5.0])).tolist() == [1.0]
    processor.calibrate(torch.tensor([1.0, 2.0, 2.0, 4.0]), torch.zeros(4, 1, 1))
    # Of four good images 4, 3, 1, 1 and 0 score at least as high.
    found = processor.p_values(torch.tensor([0.5, 2.0, 3.0, 4.0, 9.0]))
    assert found.tolist() == pytest.approx([5 / 5, 4 / 5, 2 / 5, 2 / 5, 1 / 5])
    loaded = HeldOutGoodPostProcessor(0.1)
    loaded.load_state_dict(processor.state_dict())
    assert loaded.p_values(torch.tensor([3.0])).tolist() == pytest.approx([2 / 5])
    processor.reset()
    assert len(processor.good_scores) == 0


def test_good_images_get_small_p_values_no_more_often_than_that() -> None:
    draw = torch.Generator().manual_seed(0)
    shares = []
    for _ in range(200):
        scores = torch.randn(150, generator=draw).exp()  # whatever their distribution
        processor = HeldOutGoodPostProcessor(0.1)
        processor.calibrate(scores[:49], torch.zeros(49, 1, 1))
        shares.append(float((processor.p_values(scores[49:]) <= 0.1).float().mean()))
    # Exactly 0.1 on average, as 0.1·50 is whole.
    assert sum(shares) / len(shares) == pytest.approx(0.1, abs=0.01)


def test_drift_is_named() -> None:
    rng = np.random.default_rng(0)
    good = rng.normal(size=200)
    assert "; alike (" in drift(rng.normal(size=100), good)
    assert "not alike: many defects, or parts, camera or light" in drift(good + 2, good)


def test_without_calibration_nothing_is_judged() -> None:
    batch = ImageBatch(image=torch.zeros(1, 3, 1, 1), pred_score=torch.tensor([5.0]))
    HeldOutGoodPostProcessor().post_process_batch(batch)
    assert batch.pred_label is None


@pytest.mark.parametrize("overkill", [0.0, 1.0, -0.1])
def test_overkill_out_of_range_is_named(overkill: float) -> None:
    with pytest.raises(ValueError, match="overkill"):
        HeldOutGoodPostProcessor(overkill)


def test_diversity_is_a_ratio_of_deviations() -> None:
    images = torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1)
    assert diversity(images / 4, images) == pytest.approx(0.25)
    assert diversity(torch.zeros(2, 1, 1, 1), images) == 0


def judge(
    health: TrainingHealth, residuals: list[float], diversities: list[float]
) -> list[str | None]:
    rows = enumerate(zip(residuals, diversities, strict=True))
    return [health.end_of_epoch(e, 1000, residual, varies) for e, (residual, varies) in rows]


def test_collapse_is_named_with_its_epoch() -> None:
    health = TrainingHealth("try X")
    verdicts = judge(health, [0.2, 0.1, 0.1, 0.1, 0.1], [0.8, 0.7, 0.05, 0.04, 0.03])
    assert verdicts[:4] == [None] * 4
    assert verdicts[4] is not None
    assert "collapsed at epoch 2" in verdicts[4]
    assert verdicts[4].endswith("try X")


def test_divergence_is_named_and_the_best_epoch_remembered() -> None:
    health = TrainingHealth("try X")
    verdicts = judge(health, [0.2, 0.1, 0.3, 0.4, 0.5], [0.8] * 5)
    assert verdicts[4] is not None
    assert "diverged at epoch 2" in verdicts[4]
    assert health.best_epoch == 1


def test_a_young_generator_and_a_recovered_one_are_not_lost() -> None:
    young = TrainingHealth("")
    assert all(young.end_of_epoch(e, 10, 0.5, 0.0) is None for e in range(9))
    assert judge(TrainingHealth(""), [0.1] * 6, [0.01, 0.01, 0.5, 0.01, 0.01, 0.5]) == [None] * 6


def test_nan_is_named() -> None:
    losses = {"generator_loss": torch.tensor(float("nan")), "discriminator_loss": torch.tensor(1.0)}
    message = TrainingHealth("try X").non_finite(losses, epoch=7)
    assert message is not None
    assert "epoch 7: generator_loss is nan; try X" in message


def test_held_out_probe_measures_the_generator_alone() -> None:
    torch.manual_seed(0)
    generator = Generator(32, 1, 8, 4)
    for layer in generator.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.2)
    with torch.no_grad():
        images = generator.eval()(torch.randn(16, 8))
    first = searched_residual(generator, images, latent_size=8)
    with torch.no_grad():
        start = generator(fixed_latent(16, 8, images.device))
    assert first < 0.8 * float((images - start).abs().mean())
    searched_residual(Generator(32, 1, 8, 4), images, latent_size=8)
    again = searched_residual(generator, images, latent_size=8)
    assert again == pytest.approx(first), "nothing is carried over"


def test_discriminator_loss_adds_the_penalty_and_ranks_real_against_generated() -> None:
    torch.manual_seed(0)
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False), nn.Flatten(0))
    images, fake = torch.randn(6, 1, 2, 2), torch.randn(6, 1, 2, 2)
    bce = ADVERSARIAL_LOSSES["bce"]
    plain, right = discriminator_loss(discriminator, images, fake, bce, r1_weight=0.0)
    penalised, _ = discriminator_loss(discriminator, images, fake, bce, r1_weight=3.0)
    weight = next(discriminator.parameters()).detach()
    # A linear D has the same slope everywhere, its weights.
    assert (penalised - plain).item() == pytest.approx(3.0 / 2 * weight.square().sum().item())
    labels = np.repeat([1, 0], 6)
    logits = torch.cat([discriminator(images), discriminator(fake)]).detach()
    assert right.item() == pytest.approx(roc_auc_score(labels, logits.numpy()))


def test_r1_penalty_by_hand() -> None:
    images = torch.ones(3, 1, 2, 2, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    penalty = r1_penalty(images, (images.flatten(1).square() * weights).sum(1))
    # ∂D/∂x = 2·w·x = 2·w at x = 1, so ½·Σ(2w)² = 2·(1 + 4 + 9 + 16)
    assert penalty.item() == pytest.approx(60.0)
    penalty.backward()
    torch.testing.assert_close(weights.grad, 4 * weights.detach())


def test_wasserstein_by_hand() -> None:
    loss = ADVERSARIAL_LOSSES["wasserstein"]
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    assert float(loss.discriminator(real, fake)) == pytest.approx(-1.5 - 1.25)
    assert float(loss.generator(fake)) == pytest.approx(1.5)


def test_gradient_penalty_by_hand() -> None:
    linear = nn.Linear(4, 1, bias=False)
    nn.init.constant_(linear.weight, 2.0)
    discriminator = nn.Sequential(nn.Flatten(), linear, nn.Flatten(0))
    penalty = gradient_penalty(discriminator, torch.randn(5, 1, 2, 2), torch.randn(5, 1, 2, 2))
    # The slope is (2, 2, 2, 2) everywhere, of length 4.
    assert penalty.item() == pytest.approx(9.0)


def test_ranking_accuracy_does_not_depend_on_the_zero_of_the_logits() -> None:
    real, fake = torch.tensor([11.0, 13.0]), torch.tensor([10.0, 12.0])
    assert ranking_accuracy(real, fake).item() == pytest.approx(0.75)
