# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""PCA's components and their number, against scikit-learn and images whose number is known."""

import numpy as np
import pytest
import torch
from sklearn import decomposition

from anogan_plugin import PCA
from anogan_plugin.models.pca.likelihood import (
    likeliest_count,
    log_likelihoods,
    principal_components,
)


def vectors(count: int, directions: int, seed: int = 0) -> torch.Tensor:
    """Of length 60, with variance in some directions, and noise."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(1).normal(size=(directions, 60))
    drawn = rng.normal(size=(count, directions)) @ basis + 0.1 * rng.normal(size=(count, 60))
    return torch.tensor(drawn, dtype=torch.float32)


def test_the_reconstruction_is_scikit_learns() -> None:
    images = torch.rand(20, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model = PCA(image_size=32, components=5, image_score="sum").model
    model.fit(images[:15])
    flat = images.flatten(1).numpy()
    other = decomposition.PCA(5, svd_solver="full").fit(flat[:15])
    expected = other.inverse_transform(other.transform(flat[15:]))
    found = model.reconstruct(images[15:])
    assert found.shape == (5, 1, 32, 32)
    np.testing.assert_allclose(found.flatten(1).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 5, 20])
def test_the_likelihood_is_scikit_learns(count: int) -> None:
    trained_on, others = vectors(100, 5), vectors(30, 5, seed=2)
    found = log_likelihoods(principal_components(trained_on), others)
    other = decomposition.PCA(count, svd_solver="full").fit(trained_on.double().numpy())
    # scikit-learn divides variances by N - 1, maximum likelihood by N.
    other.explained_variance_ *= 99 / 100
    other.noise_variance_ *= 99 / 100
    assert float(found[count]) == pytest.approx(other.score(others.double().numpy()), rel=1e-4)


def test_the_likelihood_without_components_is_a_normal_distributions() -> None:
    trained_on, others = vectors(100, 5), vectors(30, 5, seed=2)
    found = log_likelihoods(principal_components(trained_on), others)[0]
    mean = trained_on.mean(0)
    deviation = (trained_on - mean).square().mean().sqrt()
    expected = torch.distributions.Normal(mean, deviation).log_prob(others).sum(1).mean()
    assert float(found) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("directions", [1, 4, 12])
def test_as_many_components_are_chosen_as_there_are_directions(directions: int) -> None:
    assert likeliest_count(vectors(200, directions)) == directions


def test_images_that_are_all_alike_have_no_components() -> None:
    assert likeliest_count(torch.ones(8, 60)) == 0


def test_a_checkpoint_has_as_many_components_as_were_chosen() -> None:
    model, other = PCA(image_size=32).model, PCA(image_size=32).model
    model.fit(torch.rand(12, 1, 32, 32))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.directions, model.directions)


@pytest.mark.parametrize(
    ("components", "images", "said"),
    [(None, 3, "number_of_good_images"), (6, 6, "fewer than the 6 good images trained on, got 6")],
)
def test_too_few_images_are_refused(components: int | None, images: int, said: str) -> None:
    model = PCA(image_size=32, components=components).model
    with pytest.raises(ValueError, match=said):
        model.fit(torch.rand(images, 1, 32, 32))


def test_a_negative_number_of_components_is_refused() -> None:
    with pytest.raises(ValueError, match="components"):
        PCA(components=-1)
