# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Networks of a few weights whose search takes milliseconds."""

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchResult, SearchSettings

LATENT = 3
SIDE = 8
STOPPING: dict[str, Any] = {
    "steps": 40,
    "stop_tolerance": 0.02,
    "stop_window": 5,
    "learning_rate": 0.2,
}
"""With these, of the images here some end after 15 steps and one not before the last."""


def small_generator(channels: int = 1, seed: int = 0) -> nn.Sequential:
    """G, a plain chain, with weights so large that its images vary."""
    torch.manual_seed(seed)
    generator = nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 6, 4, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(6, channels, 4, 2, 1),
        nn.Tanh(),
    )
    for layer in generator:
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.4)
    generator(3 * torch.randn(50, LATENT))  # running statistics that are not 0 and 1
    return generator.eval()


def small_features(channels: int = 1, seed: int = 1) -> nn.Sequential:
    """f, a plain chain."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(4, 5, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
    )


class Wrapped(nn.Module):
    """The same function, in which no chain of layers can be seen."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.network(inputs)


def random_images(count: int, channels: int = 1, seed: int = 2) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, SIDE, SIDE, generator=noise) * 2 - 1


def mixed_images(count: int) -> torch.Tensor:
    """Images that G makes in turn with ones that it can't make."""
    images = random_images(count)
    with torch.no_grad():
        noise = torch.Generator().manual_seed(8)
        images[::2] = small_generator()(torch.randn(count, LATENT, generator=noise))[::2]
    return images


def small_search(batch_size: int | None = None, **settings: Any) -> LatentSearch:
    return LatentSearch(
        small_generator(), small_features(), LATENT, SearchSettings(**settings), batch_size
    )


def assert_near(found: torch.Tensor, expected: torch.Tensor, share: float) -> None:
    """Equal but for a share of the largest value: sums of thousands of terms cancel in some."""
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=0, atol=share * float(expected.abs().max()))


def assert_same(found: SearchResult, expected: SearchResult) -> None:
    for field in dataclasses.fields(SearchResult):
        theirs = getattr(expected, field.name)
        assert torch.equal(getattr(found, field.name), theirs), field.name


def assert_alike(found: SearchResult, expected: SearchResult) -> None:
    """Equal but for the last digits: kernels sum in another order for batches of another size."""
    for field in dataclasses.fields(SearchResult):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4, msg=field.name)


@contextmanager
def no_warning_of_a_search() -> Iterator[None]:
    with warnings.catch_warnings():  # a compiler may warn as it likes
        warnings.filterwarnings("error", "the (latent )?search goes on|out of memory")
        yield
