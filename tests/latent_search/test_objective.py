# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The loss of a latent vector and its gradient, by hand and by autograd."""

import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from anogan_plugin.latent_search.objective import Objective
from tests.latent_search.small import (
    LATENT,
    Wrapped,
    assert_near,
    no_warning_of_a_search,
    random_images,
    small_features,
    small_generator,
)

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def small_objective(weight: float = 0.1, channels: int = 1, **arguments: Any) -> Objective:
    return Objective(small_generator(channels), small_features(channels), weight, **arguments)


def inputs_of(objective: Objective, count: int = 4, channels: int = 1) -> Inputs:
    images = random_images(count, channels)
    latent = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(5))
    return latent, images, objective.extract(images)


def by_autograd(
    generator: nn.Module,
    features: nn.Module | None,
    weight: float,
    latent: torch.Tensor,
    images: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and gradient of the networks as they came, one image at a time, in float64."""
    generator = generator.double().eval()
    losses, gradients = [], []
    for z, image in zip(latent.double(), images.double(), strict=True):
        z.requires_grad_()
        made = generator(z[None])
        loss = (1 - weight) * torch.linalg.vector_norm(image[None] - made, 1)
        if features is not None:
            features = features.double().eval()
            both = features(torch.cat([image[None], made]))
            loss = loss + weight * torch.linalg.vector_norm(both[0] - both[1], 1)
        loss.backward()
        assert z.grad is not None
        losses.append(loss.detach())
        gradients.append(z.grad)
    return torch.stack(losses).float(), torch.stack(gradients).float()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("weight", [0.0, 0.1, 1.0])
def test_by_hand_it_is_autograds(weight: float, channels: int) -> None:
    by_hand = small_objective(weight, channels)
    generator, features = small_generator(channels), small_features(channels)
    wrapped = Objective(Wrapped(generator), Wrapped(features), weight)
    assert by_hand.by_hand
    assert not wrapped.by_hand

    inputs = inputs_of(by_hand, channels=channels)
    loss, gradient = by_hand.loss_and_gradient(*inputs)
    assert loss.dtype == gradient.dtype == torch.float32
    assert not loss.requires_grad
    assert not gradient.requires_grad
    for expected_loss, expected_gradient in (
        wrapped.loss_and_gradient(*inputs),
        by_autograd(generator, features, weight, *inputs[:2]),
    ):
        torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=0)
        assert_near(gradient, expected_gradient, 1e-5)


def test_one_of_two_networks_that_is_no_chain_is_enough_for_autograd() -> None:
    generator, features = small_generator(), small_features()
    assert not Objective(Wrapped(generator), features, 0.1).by_hand
    assert not Objective(generator, Wrapped(features), 0.1).by_hand


def test_loss_is_the_total_of_the_losses() -> None:
    objective = small_objective(0.3)
    latent, images, features = inputs_of(objective)
    loss, _ = objective.loss_and_gradient(latent, images, features)
    with torch.no_grad():
        made = small_generator()(latent)
        residual = np.abs(images.numpy() - made.numpy()).sum((1, 2, 3))
        network = small_features()
        difference = network(images).numpy() - network(made).numpy()
    discrimination = np.abs(difference).sum((1, 2, 3))
    np.testing.assert_allclose(loss, 0.7 * residual + 0.3 * discrimination, rtol=1e-5)

    parts = objective.losses(latent, images)
    np.testing.assert_allclose(parts.reconstruction, made, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(parts.residual, residual, rtol=1e-5)
    np.testing.assert_allclose(parts.discrimination, discrimination, rtol=1e-5)
    np.testing.assert_allclose(parts.total, loss, rtol=1e-5)


class Unusable(nn.Module):
    """Features that must not be computed."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise AssertionError


@pytest.mark.parametrize("hidden", [False, True])
def test_residual_only_leaves_the_features_out(hidden: bool) -> None:
    generator = small_generator()
    features = Unusable() if hidden else nn.Sequential(nn.Conv2d(7, 1, 4, 2, 1))  # of 7 channels
    objective = Objective(generator, features, 0.3, residual_only=True)
    assert objective.by_hand != hidden
    latent, images = inputs_of(small_objective())[:2]
    loss, gradient = objective.loss_and_gradient(latent, images, torch.zeros(4, 1))
    expected_loss, expected_gradient = by_autograd(generator, None, 0.3, latent, images)
    torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=0)
    assert_near(gradient, expected_gradient, 1e-5)


def test_residual_only_reports_both_losses_all_the_same() -> None:
    latent, images, _ = inputs_of(small_objective())
    both = small_objective().losses(latent, images)
    only = small_objective(residual_only=True).losses(latent, images)
    assert torch.equal(both.total, only.total)


@pytest.mark.parametrize("hidden", [False, True])
def test_no_difference_pulls_nowhere(hidden: bool) -> None:
    """G(z) is z in all 16 pixels and f the sum of pixels, so that all can be worked out."""
    made, summed = nn.ConvTranspose2d(1, 1, 4, bias=False), nn.Conv2d(1, 1, 4, bias=False)
    nn.init.ones_(made.weight)
    nn.init.ones_(summed.weight)
    generator: nn.Module = nn.Sequential(nn.Unflatten(1, (1, 1, 1)), made)
    features: nn.Module = nn.Sequential(summed)
    if hidden:
        generator, features = Wrapped(generator), Wrapped(features)
    objective = Objective(generator, features, 0.25)
    assert objective.by_hand != hidden

    images = torch.full((2, 16), 2.0)
    images[1, :4], images[1, 4:6] = 1.0, 4.0  # sums to 32, as all 2 do
    images = images.reshape(2, 1, 4, 4)
    loss, gradient = objective.loss_and_gradient(
        torch.full((2, 1), 2.0), images, objective.extract(images)
    )
    # 4 pixels are 1 too high, 2 are 2 too low, 10 are right, and so is f.
    assert torch.equal(loss, torch.tensor([0.0, 0.75 * (4 * 1 + 2 * 2)]))
    assert torch.equal(gradient, torch.tensor([[0.0], [0.75 * (4 - 2)]]))


def test_in_bf16_it_points_the_same_way() -> None:
    exact, rough = small_objective(), small_objective(dtype=torch.bfloat16)
    assert rough.by_hand
    inputs = inputs_of(exact)
    loss, gradient = exact.loss_and_gradient(*inputs)
    rough_loss, rough_gradient = rough.loss_and_gradient(*inputs)
    assert rough_loss.dtype == rough_gradient.dtype == torch.float32
    torch.testing.assert_close(rough_loss, loss, rtol=0.02, atol=0)
    assert nn.functional.cosine_similarity(rough_gradient, gradient).min() > 0.9


@pytest.mark.parametrize("first", [True, False])
def test_batch_norm_that_cannot_be_folded_is_left_to_autograd(first: bool) -> None:
    torch.manual_seed(3)
    layers: list[nn.Module] = [nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2)]
    features = nn.Sequential(*([nn.BatchNorm2d(1), *layers] if first else layers))
    if not first:
        features.append(nn.BatchNorm2d(4))  # after the activation
    features(2 * random_images(20) + 0.5)
    objective = Objective(small_generator(), features, 0.4)
    assert not objective.by_hand
    latent, images, _ = inputs_of(small_objective())
    loss, gradient = objective.loss_and_gradient(latent, images, objective.extract(images))
    expected_loss, expected_gradient = by_autograd(small_generator(), features, 0.4, latent, images)
    torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=0)
    assert_near(gradient, expected_gradient, 1e-5)


def test_an_image_has_its_own_gradient() -> None:
    objective = small_objective()
    inputs = inputs_of(objective)
    _, together = objective.loss_and_gradient(*inputs)
    for row in range(4):
        _, alone = objective.loss_and_gradient(*(part[row : row + 1] for part in inputs))
        assert_near(alone, together[row : row + 1], 1e-5)


def test_a_compiler_that_fails_costs_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(function: object, **options: object) -> Callable[..., Any]:
        def compiled(*inputs: object) -> None:
            raise RuntimeError("no compiler here")

        return compiled

    monkeypatch.setattr(torch, "compile", failing)
    plain, compiled = small_objective(), small_objective()
    compiled.compile()
    inputs = inputs_of(plain)
    with pytest.warns(UserWarning, match="goes on uncompiled.*no compiler here"):
        first = compiled.loss_and_gradient(*inputs)
    with no_warning_of_a_search():
        second = compiled.loss_and_gradient(*inputs)
    loss, gradient = plain.loss_and_gradient(*inputs)
    for found in (first, second):
        assert torch.equal(found[0], loss)
        assert torch.equal(found[1], gradient)


def test_only_batches_of_the_first_size_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def noting(function: Callable[..., Any], **options: object) -> Callable[..., Any]:
        def compiled(latent: torch.Tensor, *others: torch.Tensor) -> Any:
            sizes.append(len(latent))
            return function(latent, *others)

        return compiled

    monkeypatch.setattr(torch, "compile", noting)
    plain, objective = small_objective(), small_objective()
    objective.compile()
    assert objective.by_hand
    for count in (3, 2, 4, 3, 1):
        inputs = inputs_of(objective, count)
        _, gradient = objective.loss_and_gradient(*inputs)
        assert torch.equal(gradient, plain.loss_and_gradient(*inputs)[1])
    assert sizes == [3, 3]


def test_autograds_gradient_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch, "compile")  # asking for it would be an error
    objective = Objective(Wrapped(small_generator()), small_features(), 0.1)
    objective.compile()
    inputs = inputs_of(objective)
    expected = small_objective().loss_and_gradient(*inputs)[1]
    assert_near(objective.loss_and_gradient(*inputs)[1], expected, 1e-5)


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("g++") and Path(sysconfig.get_path("include"), "Python.h").exists()),
    reason="torch compiles for a processor with the C++ compiler g++ and Python's headers",
)
def test_compiled_it_is_the_same_but_for_the_last_digits() -> None:
    plain, compiled = small_objective(), small_objective()
    compiled.compile()
    inputs = inputs_of(plain)
    loss, gradient = plain.loss_and_gradient(*inputs)
    with no_warning_of_a_search():
        found_loss, found_gradient = compiled.loss_and_gradient(*inputs)
    torch.testing.assert_close(found_loss, loss, rtol=1e-5, atol=0)
    assert_near(found_gradient, gradient, 1e-5)
