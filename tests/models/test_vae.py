# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""VAE's loss and scores, against torch.distributions and by hand."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from anogan_plugin.models.vae import VAE
from anogan_plugin.models.vae.loss import kl_to_normal, reconstruction_cost

SIGMA = 0.3


def small(kl_weight: float = 1.0) -> VAE:
    torch.manual_seed(0)
    return VAE(image_size=32, width=4, latent_size=8, pixel_std=SIGMA, kl_weight=kl_weight)


def some_images() -> torch.Tensor:
    return torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_kl_is_that_of_torch() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    posterior = Independent(Normal(mean, log_variance.exp().sqrt()), 1)
    prior = Independent(Normal(torch.zeros(5, 7), torch.ones(5, 7)), 1)
    torch.testing.assert_close(kl_to_normal(mean, log_variance), kl_divergence(posterior, prior))


def test_kl_by_hand() -> None:
    # s² = e, μ = 3: (9 + e − 1 − 1)/2
    found = kl_to_normal(torch.tensor([[3.0]]), torch.tensor([[1.0]]))
    assert float(found) == pytest.approx((7 + math.e) / 2)


def test_cost_is_the_improbability_of_the_pixels() -> None:
    torch.manual_seed(0)
    images, means = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    constant = 3 * math.log(2 * math.pi * SIGMA**2) / 2
    expected = -Normal(means, SIGMA).log_prob(images).sum(1)
    found = reconstruction_cost(images, means, SIGMA) + constant
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_elbo_is_that_of_torch_at_the_mean() -> None:
    network, images = small().eval().model, some_images()
    with torch.no_grad():
        scored = network.score(images)
        mean, log_variance = network.posterior(images)
        pixels = Independent(Normal(network.decoder(mean), SIGMA), 3)
        posterior = Independent(Normal(mean, (log_variance / 2).exp()), 1)
        prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        expected = -pixels.log_prob(images) + kl_divergence(posterior, prior)
    constant = 32 * 32 * math.log(2 * math.pi * SIGMA**2) / 2
    torch.testing.assert_close(scored.parts["elbo"] + constant, expected)
    torch.testing.assert_close(scored.parts["sum"], scored.anomaly_map.sum((1, 2)))


def test_beta_weighs_the_kl() -> None:
    plain, heavy, images = small().eval().model, small(kl_weight=1e4).eval().model, some_images()
    with torch.no_grad():
        one, heavier = plain.score(images).parts, heavy.score(images).parts
        torch.manual_seed(0)
        losses = heavy.training_losses(images)
    torch.testing.assert_close(heavier["elbo"] - one["sum"], 1e4 * one["kl"], rtol=1e-3, atol=0)
    expected = losses["reconstruction_cost"] + 1e4 * losses["kl"]
    torch.testing.assert_close(losses["loss"], expected)


def test_training_draws_from_the_posterior() -> None:
    # With z = μ + s·ε, E‖z − μ‖² is the sum of the variances; what the decoder gets is looked at.
    network, images = small().eval().model, some_images()
    drawn: list[torch.Tensor] = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: drawn.append(inputs[0]))
    with torch.no_grad():
        with torch.random.fork_rng():
            for _ in range(2000):
                network.training_losses(images[:1])
        mean, log_variance = network.posterior(images[:1])
    draws = torch.cat(drawn)
    torch.testing.assert_close(draws.mean(0), mean[0], atol=0.12, rtol=0)
    torch.testing.assert_close(draws.var(0), log_variance.exp()[0], rtol=0.15, atol=0)


def test_scoring_draws_nothing_and_training_does() -> None:
    network, images = small().eval().model, some_images()
    with torch.no_grad():
        first, second = network.score(images), network.score(images)
        assert torch.equal(first.parts["elbo"], second.parts["elbo"])
        assert torch.equal(first.parts["sum"], second.parts["sum"])
        assert torch.equal(network.reconstruct(images), network.reconstruct(images))
        losses = [float(network.training_losses(images)["loss"]) for _ in range(2)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"kl_weight": -1.0}, "kl_weight must be"),
        ({"pixel_std": 0.0}, "pixel_std must be positive, got 0"),
        ({"pixel_std": -0.1}, "pixel_std must be positive"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        VAE(image_size=32, width=4, **arguments)  # type: ignore[arg-type]
