# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Where a search starts, against least squares and scikit-learn's ridge regression."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchSettings, search_settings
from anogan_plugin.latent_search.starts import _DRAWS, _RIDGE, RegressionStart, one_draw
from tests.latent_search.small import (
    LATENT,
    random_images,
    small_features,
    small_generator,
    small_search,
)

CPU = torch.device("cpu")
MIXING = torch.tensor(
    [
        [1.0, 0.0, 0.0],
        [1.0, -2.0, 0.0],
        [0.0, 1.0, 1.0],
        [0.5, 0.0, 2.0],
        [0.0, 0.0, -1.0],
        [1.0, 1.0, 0.0],
    ]
)


def linear(latent: torch.Tensor) -> torch.Tensor:
    """G(z) = W·z + 0.3 as a 1 x 2 x 3 image."""
    return (latent @ MIXING.T + 0.3).reshape(-1, 1, 2, 3)


@pytest.fixture(scope="module")
def start() -> RegressionStart:
    return RegressionStart(linear, LATENT, 4, CPU)


@pytest.fixture(scope="module")
def of_small_networks() -> LatentSearch:
    """A search whose guesses are there already."""
    search = small_search(2, steps=0, start="regression")
    search(random_images(1))
    return search


def test_a_linear_generator_is_inverted(start: RegressionStart) -> None:
    latent = torch.randn(20, LATENT, generator=torch.Generator().manual_seed(6))
    images = linear(latent)
    pixels = (images.flatten(1) - 0.3).numpy()
    solved = np.linalg.lstsq(MIXING.numpy(), pixels.T, rcond=None)[0].T
    np.testing.assert_allclose(solved, latent, atol=1e-5)
    # The mean of the draws' images, not 0.3, is what the guess is counted from.
    np.testing.assert_allclose(start(images), solved, atol=0.05)


def test_it_is_the_ridge_regression_of_scikit_learn(start: RegressionStart) -> None:
    draws = torch.randn(_DRAWS, LATENT, generator=torch.Generator().manual_seed(4)).numpy()
    pixels = linear(torch.from_numpy(draws)).flatten(1).numpy().astype(np.float64)
    centre = pixels.mean(0)
    centred = pixels - centre
    alpha = _RIDGE * np.square(centred).sum() / _DRAWS
    ridge = Ridge(alpha=alpha, fit_intercept=False, solver="svd").fit(centred, draws)
    images = 3 * torch.randn(20, 1, 2, 3, generator=torch.Generator().manual_seed(7))
    expected = ridge.predict(images.flatten(1).numpy() - centre)
    np.testing.assert_allclose(start(images), expected, rtol=1e-4, atol=1e-5)


def test_the_seed_decides(start: RegressionStart) -> None:
    images = random_images(4)[..., :2, :3]
    assert torch.equal(RegressionStart(linear, LATENT, 4, CPU)(images), start(images))
    assert not torch.equal(RegressionStart(linear, LATENT, 5, CPU)(images), start(images))


def test_large_images_are_looked_at_in_blocks() -> None:
    pattern = torch.randn(LATENT, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    guess = RegressionStart(lambda z: torch.tensordot(z, pattern, 1), LATENT, 0, CPU)
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    blocks = images.unflatten(3, (32, 2)).flip(4).flatten(3)  # neighbours change places
    assert not torch.equal(blocks, images)
    torch.testing.assert_close(guess(blocks), guess(images), rtol=1e-4, atol=1e-5)
    shifted = images.roll(1, 3)
    assert (guess(shifted) - guess(images)).abs().max() > 1e-3


def test_every_image_has_its_own_guess(of_small_networks: LatentSearch) -> None:
    images = random_images(5)
    together = of_small_networks(images).latent
    assert len(together.unique(dim=0)) == 5
    for row in range(5):
        alone = of_small_networks(images[row : row + 1]).latent[0]
        torch.testing.assert_close(alone, together[row], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(of_small_networks.start(images), together, rtol=1e-5, atol=1e-6)


def test_one_draw_is_for_all_images_and_for_every_search() -> None:
    draw = one_draw(LATENT, seed=3)
    assert draw.shape == (1, LATENT)
    assert torch.equal(small_search(2, steps=0, seed=3)(random_images(5)).latent[4:], draw)
    assert torch.equal(draw, one_draw(LATENT, seed=3))
    assert not torch.equal(draw, one_draw(LATENT, seed=2))
    many = one_draw(100_000, seed=0)
    assert abs(float(many.mean())) < 0.02
    assert abs(float(many.std()) - 1) < 0.02


def test_few_steps_from_a_guess_reach_further_than_from_a_draw() -> None:
    generator, features = small_generator(), small_features()
    with torch.no_grad():
        noise = torch.Generator().manual_seed(6)
        images = generator(torch.randn(16, LATENT, generator=noise))
    images += 0.05 * torch.randn(images.shape, generator=noise)
    assert images.std(0).mean() > 0.1, "or else any start would do"

    def residual(settings: SearchSettings) -> torch.Tensor:
        return LatentSearch(generator, features, LATENT, settings)(images).residual

    for steps in (0, 8):
        guessed = residual(search_settings("fast", steps=steps))
        drawn = residual(search_settings("fast", steps=steps, start="random"))
        assert guessed.mean() < 0.8 * drawn.mean()
        assert (guessed < drawn).float().mean() > 0.6


def test_a_guess_is_made_from_a_frozen_generator() -> None:
    norm = nn.BatchNorm2d(2)
    network = nn.Sequential(nn.Unflatten(1, (LATENT, 1, 1)), nn.ConvTranspose2d(LATENT, 2, 4), norm)
    settings = SearchSettings(steps=1, start="regression")
    LatentSearch(network.train(), nn.Conv2d(2, 1, 4), LATENT, settings)(torch.rand(2, 2, 4, 4))
    assert norm.training
    assert norm.num_batches_tracked == 0
