# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Steps in the generator's first feature map against autograd and torch's own Adam."""

import dataclasses

import pytest
import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchSettings, search_settings
from anogan_plugin.models.components.dcgan import Discriminator, Generator

LATENT, STEPS = 6, 4


def networks() -> tuple[nn.Sequential, nn.Module]:
    torch.manual_seed(0)
    generator = Generator(32, 1, LATENT, 4).eval()
    for norm in generator.modules():
        if isinstance(norm, nn.BatchNorm2d):  # as after a training, not the identity
            assert norm.running_mean is not None
            assert norm.running_var is not None
            nn.init.normal_(norm.running_mean, 0, 0.1)
            nn.init.uniform_(norm.running_var, 0.002, 0.01)
    return generator.as_chain(), Discriminator(32, 1, 4, "none").eval().features


def search(steps_in_map: int = STEPS, **overrides: object) -> LatentSearch:
    settings = search_settings("refined", steps=5, map_steps=steps_in_map, precision="fp32")
    return LatentSearch(*networks(), LATENT, dataclasses.replace(settings, **overrides))  # type: ignore[arg-type]


def images(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_it_is_adam_in_the_map_from_where_the_latent_search_ended() -> None:
    x = images()
    generator, _ = networks()
    latent = search(0)(x).latent
    with torch.no_grad():
        maps = generator[:4](latent)  # unflatten, convolution, BatchNorm, ReLU
        draws = torch.randn(256, LATENT, generator=torch.Generator().manual_seed(0))
        deviation = float(generator[:4](draws).std())
    maps.requires_grad_()
    adam = torch.optim.Adam([maps], 0.05 * deviation, betas=(0.8, 0.9))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for _ in range(STEPS):
        adam.zero_grad()
        (0.9 * (x - generator[4:](maps)).abs().sum()).backward()
        adam.step()
        falling.step()
    found = search()(x)
    torch.testing.assert_close(
        found.reconstruction, generator[4:](maps).detach(), rtol=1e-3, atol=1e-3
    )
    torch.testing.assert_close(found.latent, latent)


def test_parts_and_steps_are_those_of_the_refined_image() -> None:
    x = images()
    _, features = networks()
    found = search()(x)
    residual = (x - found.reconstruction).abs().sum((1, 2, 3))
    with torch.no_grad():
        apart = (features(x) - features(found.reconstruction)).abs().sum((1, 2, 3))
    torch.testing.assert_close(found.residual, residual)
    torch.testing.assert_close(found.discrimination, apart, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.score, 0.9 * residual + 0.1 * apart)
    assert found.steps.tolist() == [5 + STEPS] * 3
    assert (found.residual < search(0)(x).residual).all()


def test_neighbours_and_batches_do_not_matter() -> None:
    x = images(5)
    together, alone = search()(x), search()(x[3:4])
    small = LatentSearch(*networks(), LATENT, search().settings, batch_size=2)(x)
    torch.testing.assert_close(together.score[3:4], alone.score)
    torch.testing.assert_close(together.score, small.score)


def test_it_works_where_lightning_evaluates() -> None:
    x = images()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        inside = search()(x)
    torch.testing.assert_close(inside.score, search()(x).score)


def test_streamed_results_are_refined_too() -> None:
    x = images(4)
    streamed = {
        int(i): s for r in search().stream(x) for i, s in zip(r.index, r.score, strict=True)
    }
    torch.testing.assert_close(torch.stack([streamed[i] for i in range(4)]), search()(x).score)


def test_a_generator_without_a_map_is_refused() -> None:
    flat = nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (1, 2, 2)))
    with pytest.raises(ValueError, match="an activation before its last layer, got Sequential"):
        LatentSearch(flat, nn.Identity(), 2, SearchSettings(map_steps=1))
