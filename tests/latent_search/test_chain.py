# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A chain computes what its layers compute, and backwards what autograd computes."""

from typing import Any, cast

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from anogan_plugin.latent_search.chain import Chain, is_chain
from anogan_plugin.latent_search.frozen import freeze
from anogan_plugin.latent_search.to_few_channels import ConvToImage
from anogan_plugin.models.components.dcgan import DISCRIMINATOR_NORMS, Discriminator, Generator
from tests.latent_search.small import Wrapped, assert_near

SHARES = {torch.float32: 1e-6, torch.float64: 1e-12}


def assert_it_is_autograds(network: nn.Module, inputs: torch.Tensor, share: float) -> None:
    """Compare a pass there and back, with a random gradient at the output."""
    assert is_chain(network)
    chain = Chain(cast(nn.Sequential, network))
    watched = inputs.clone().requires_grad_()
    expected = network(watched)
    at_output = torch.randn_like(expected)
    (expected_gradient,) = torch.autograd.grad(expected, watched, at_output)

    with torch.no_grad():
        outputs = chain.forward(inputs)
        assert_near(outputs[-1], expected.detach(), share)
        assert_near(chain.adjoint(outputs, at_output), expected_gradient, share)


@pytest.mark.parametrize("dtype", SHARES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_generator(size: int, channels: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    generator = Generator(size, channels, latent_size=8, width=4)
    generator(torch.randn(16, 8))  # running statistics that are not 0 and 1
    latent = torch.randn(3, 8, dtype=dtype)
    assert_it_is_autograds(freeze(generator.as_chain(), dtype), latent, SHARES[dtype])


@pytest.mark.parametrize("dtype", SHARES)
@pytest.mark.parametrize("norm", DISCRIMINATOR_NORMS)
@pytest.mark.parametrize(("size", "channels"), [(32, 1), (32, 3), (64, 1), (128, 3)])
def test_the_features_of_a_discriminator(
    size: int, channels: int, norm: str, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(size, channels, 4, norm)
    discriminator(torch.randn(4, channels, size, size))
    images = torch.rand(3, channels, size, size, dtype=dtype) * 2 - 1
    assert_it_is_autograds(freeze(discriminator.features, dtype), images, SHARES[dtype])


@pytest.mark.parametrize("outputs", [1, 3, 4])
@pytest.mark.parametrize("sides", [(1, 1), (1, 4), (2, 3), (5, 4)])
def test_few_channels_and_sides_of_any_length(sides: tuple[int, int], outputs: int) -> None:
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(2, outputs, 4, 2, 1).double()
    inputs = torch.randn(3, 2, *sides, dtype=torch.float64)
    expected = F.conv_transpose2d(inputs, layer.weight, layer.bias, 2, 1)
    (found,) = Chain(nn.Sequential(layer)).forward(inputs)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    double = (2 * sides[0], 2 * sides[1])
    assert_it_is_autograds(freeze(nn.Sequential(layer), torch.float64), inputs, 1e-12)
    backwards = nn.Sequential(nn.Conv2d(outputs, 2, 4, 2, 1)).double()
    images = torch.randn(3, outputs, *double, dtype=torch.float64)
    assert_it_is_autograds(backwards.requires_grad_(False), images, 1e-12)


def test_one_pixel_spreads_its_kernel_by_hand() -> None:
    layer = nn.ConvTranspose2d(1, 1, 4, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight[:] = torch.arange(16.0).reshape(1, 1, 4, 4)
        pixel = torch.zeros(1, 1, 3, 3)
        pixel[0, 0, 1, 1] = 2.0
        (found,) = Chain(nn.Sequential(layer)).forward(pixel)
    # Stride 2 puts the kernel's corner at 2·1, padding takes one row and column off the image.
    expected = torch.zeros(6, 6)
    expected[1:5, 1:5] = 2 * torch.arange(16.0).reshape(4, 4)
    assert torch.equal(found[0, 0], expected)


def test_a_convolution_without_bias_and_one_of_stride_1() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 5, 4, 2, 1, bias=False), nn.Tanh(), nn.Conv2d(5, 2, 4), nn.ReLU()
    ).double()
    images = torch.randn(3, 1, 10, 12, dtype=torch.float64)
    assert_it_is_autograds(network.requires_grad_(False), images, 1e-12)


@pytest.mark.parametrize("norm", DISCRIMINATOR_NORMS)
def test_frozen_networks_of_the_package_are_chains(norm: str) -> None:
    assert is_chain(freeze(Discriminator(32, 1, 4, norm).features))
    generator = Generator(32, 1, 8, 4)
    assert is_chain(freeze(generator.as_chain()))
    assert not is_chain(generator.as_chain()), "its BatchNorm is not folded"
    assert not is_chain(freeze(generator)), "it is no sequence of layers itself"


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(2),
        nn.BatchNorm2d(2),
        nn.GELU(),
        nn.Dropout(),
        nn.Conv2d(2, 2, 3),
        nn.Conv2d(2, 2, 3, 1, 1),
        nn.Conv2d(2, 2, 4, 2),
        nn.Conv2d(2, 2, 4, 1, 1),
        nn.Conv2d(2, 2, 4, padding="same"),
        nn.Conv2d(2, 2, (4, 3), 2, 1),
        nn.Conv2d(2, 2, 4, 2, 1, dilation=2),
        nn.Conv2d(2, 2, 4, 2, 1, groups=2),
        nn.Conv2d(2, 2, 4, 2, 1, padding_mode="reflect"),
        nn.ConvTranspose2d(2, 2, 2, 2),
        nn.ConvTranspose2d(2, 2, 4, 2, 1, dilation=2),
        nn.ConvTranspose2d(2, 2, 4, 2, 1, groups=2),
        nn.ConvTranspose2d(2, 2, 4, 2, 1, output_padding=1),
        nn.Linear(2, 2),
        nn.Sequential(nn.ReLU()),
        Wrapped(nn.ReLU()),
    ],
    ids=repr,
)
def test_other_layers_are_left_to_autograd(layer: Any) -> None:
    plain = nn.Conv2d(2, 2, 4, 2, 1)
    assert is_chain(nn.Sequential(plain, nn.ReLU()))
    assert not is_chain(nn.Sequential(plain, layer))


@pytest.mark.parametrize(
    "network", [nn.Conv2d(1, 2, 4, 2, 1), nn.Identity(), nn.ModuleList([nn.ReLU()])]
)
def test_what_is_no_sequence_is_left_to_autograd(network: nn.Module) -> None:
    assert not is_chain(network)


def test_the_layer_to_the_image_is_a_transposed_convolution() -> None:
    torch.manual_seed(0)
    ours = ConvToImage(6, 3)
    usual = nn.ConvTranspose2d(6, 3, 4, 2, 1)
    usual.load_state_dict(ours.state_dict())
    inputs = torch.randn(2, 6, 5, 7, requires_grad=True)
    weights = torch.randn(2, 3, 10, 14)
    found, expected = (
        torch.autograd.grad(
            (layer(inputs) * weights).sum(), [inputs, layer.weight, cast(torch.Tensor, layer.bias)]
        )
        for layer in (ours, usual)
    )
    torch.testing.assert_close(ours(inputs), usual(inputs))
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-4, atol=1e-4)
