# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The search against hand-worked steps, and its contract."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchResult, SearchSettings
from anogan_plugin.models.components.dcgan import Discriminator, Generator

LATENT = 3


class LinearGenerator(nn.Module):
    """G(z) = W·z as a 1 x 2 x 2 image: everything about it can be worked out by hand."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.weight = nn.Parameter(torch.randn(4, LATENT))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (z @ self.weight.T).reshape(-1, 1, 2, 2)


class Doubled(nn.Module):
    """f(x) = 2·x."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def linear_search(**settings: Any) -> LatentSearch:
    return LatentSearch(LinearGenerator(), Doubled(), LATENT, SearchSettings(**settings))


@pytest.fixture(scope="module")
def networks() -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    generator = Generator(32, channels=1, latent_size=8, width=4)
    for layer in generator.modules():  # N(0, 0.02) weights make flat images: nothing to search
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.2)
    return generator, Discriminator(32, channels=1, width=4, norm="spectral")


def test_losses_and_score_are_the_papers_sums() -> None:
    images = torch.rand(2, 1, 2, 2)
    found = linear_search(steps=0, discrimination_weight=0.1)(images)

    weight, z = LinearGenerator().weight.detach().numpy(), found.latent.numpy()
    difference = images.numpy().reshape(2, 4) - z @ weight.T
    residual = np.abs(difference).sum(1)
    discrimination = np.abs(2 * difference).sum(1)
    np.testing.assert_allclose(found.residual, residual, rtol=1e-5)
    np.testing.assert_allclose(found.discrimination, discrimination, rtol=1e-5)
    np.testing.assert_allclose(found.score, 0.9 * residual + 0.1 * discrimination, rtol=1e-5)


def test_two_steps_are_adams_on_the_weighted_gradient() -> None:
    rate, weight = 0.01, 0.25
    image = torch.full((1, 1, 2, 2), 9.0)  # so far away that no difference changes its sign
    start = linear_search(steps=0)(image).latent.numpy()[0]
    found = linear_search(steps=2, learning_rate=rate, discrimination_weight=weight)(image)

    w = LinearGenerator().weight.detach().numpy().astype(np.float64)
    gradient = -(1 - weight) * w.sum(0) - weight * 2 * w.sum(0)  # d/dz of (1−λ)Σ|x−Wz| + λΣ|2x−2Wz|
    # A constant gradient has m/(1−β₁ᵗ) = g and v/(1−β₂ᵗ) = g²: Adam moves by its sign.
    expected = start - 2 * rate * gradient / (np.abs(gradient) + 1e-8)
    np.testing.assert_allclose(found.latent.numpy()[0], expected, rtol=1e-5)


def test_an_image_the_generator_makes_is_found() -> None:
    torch.manual_seed(2)
    images = LinearGenerator()(torch.randn(5, LATENT)).detach()
    search = linear_search(steps=2000, learning_rate=0.01)
    assert (search(images).residual < 0.2).all()
    assert (linear_search(steps=0)(images).residual > 0.2).all()


def test_an_image_is_searched_by_itself(networks: tuple[Generator, Discriminator]) -> None:
    generator, discriminator = networks
    search = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=50))
    torch.manual_seed(3)
    images = torch.rand(6, 1, 32, 32) * 2 - 1
    together = search(images)
    alone = torch.cat([search(image[None]).score for image in images])
    reordered = search(images.flip(0)).score.flip(0)
    torch.testing.assert_close(alone, together.score, rtol=1e-5, atol=0)
    torch.testing.assert_close(reordered, together.score, rtol=1e-5, atol=0)
    neighbours = torch.cat([images[:1], torch.ones(5, 1, 32, 32)])
    torch.testing.assert_close(search(neighbours).score[0], together.score[0], rtol=1e-5, atol=0)


def test_the_seed_decides(networks: tuple[Generator, Discriminator]) -> None:
    generator, discriminator = networks
    images = torch.rand(2, 1, 32, 32)

    def latent(seed: int) -> torch.Tensor:
        settings = SearchSettings(steps=3, seed=seed)
        return LatentSearch(generator, discriminator.features, 8, settings)(images).latent

    assert torch.equal(latent(0), latent(0))
    assert not torch.equal(latent(0), latent(1))


def test_networks_are_left_alone(networks: tuple[Generator, Discriminator]) -> None:
    generator, discriminator = networks
    generator.train()
    discriminator.train()
    before = copy.deepcopy([generator.state_dict(), discriminator.state_dict()])
    search = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=2))
    search(torch.rand(2, 1, 32, 32))

    assert generator.training
    assert discriminator.training
    for old, network in zip(before, (generator, discriminator), strict=True):
        for name, value in network.state_dict().items():
            assert torch.equal(value, old[name]), name
    # A frozen copy must not take spectral norm's property away from the class they share.
    discriminator(torch.rand(2, 1, 32, 32)).sum().backward()


def test_it_works_in_inference_mode(networks: tuple[Generator, Discriminator]) -> None:
    generator, discriminator = networks
    images = torch.rand(2, 1, 32, 32)
    settings = SearchSettings(steps=2)
    expected = LatentSearch(generator, discriminator.features, 8, settings)(images).score
    with torch.inference_mode():
        search = LatentSearch(generator, discriminator.features, 8, settings)
        found = search(images * 1)  # an inference tensor
    torch.testing.assert_close(found.score, expected)


def test_bf16_finds_almost_the_same(networks: tuple[Generator, Discriminator]) -> None:
    generator, discriminator = networks
    torch.manual_seed(4)
    with torch.no_grad():
        images = generator.eval()(torch.randn(4, 8))

    def search(precision: str) -> torch.Tensor:
        settings = SearchSettings(steps=100, precision=precision)
        found = LatentSearch(generator, discriminator.features, 8, settings)(images)
        assert found.score.dtype == found.latent.dtype == torch.float32
        return found.score

    start = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=0))(images)
    gained = start.score - search("fp32")
    torch.testing.assert_close(
        search("bf16"), search("fp32"), rtol=0, atol=0.1 * float(gained.min())
    )


def test_the_trainers_autocast_does_not_reach_it(
    networks: tuple[Generator, Discriminator],
) -> None:
    generator, discriminator = networks
    search = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=3))
    images = torch.rand(2, 1, 32, 32)
    expected = search(images).score
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(search(images).score, expected)


def test_an_encoder_gives_the_start_of_each_image(
    networks: tuple[Generator, Discriminator],
) -> None:
    generator, discriminator = networks
    search = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=3), 2)
    images = torch.rand(5, 1, 32, 32)

    def encode(batch: torch.Tensor) -> torch.Tensor:
        return batch.flatten(1)[:, :8]

    given = search(images, start=encode(images))
    found = search(images, start=encode)
    torch.testing.assert_close(found.latent, given.latent)
    with pytest.raises(ValueError, match="save_to needs start as latent vectors"):
        search(images, start=encode, save_to=Path("never.pt"))


def test_a_sequence_that_grows_is_searched_to_its_end(
    networks: tuple[Generator, Discriminator],
) -> None:
    generator, discriminator = networks
    search = LatentSearch(generator, discriminator.features, 8, SearchSettings(steps=3), 2)
    images = torch.rand(7, 1, 32, 32)
    growing = list(images[:1])
    parts = []
    for part in search.stream(growing):
        parts.append(part)
        growing += list(images[len(growing) : len(growing) + 3])
    found, expected = SearchResult.joined(parts), search(images)
    assert found.index.tolist() == list(range(7))
    torch.testing.assert_close(found.score, expected.score)
