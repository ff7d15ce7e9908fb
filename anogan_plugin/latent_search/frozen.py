# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Frozen copies of networks, made for thousands of passes with constant weights."""

import copy
from typing import cast

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations


@torch.inference_mode(mode=False)  # weights made in inference mode could never meet autograd
def freeze(network: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Copy a network for inference: same function in eval mode, fewer operations.

    BatchNorm that follows a convolution in an :class:`~torch.nn.Sequential` is folded into it,
    parametrizations such as spectral norm are computed once, no weight asks for a gradient, and
    the memory format is channels_last. The network itself is left as it was.

    Args:
        network: Any network; its running statistics are the ones used.
        dtype: What the copy computes in.

    Returns:
        The frozen copy, in eval mode, on the same device.
    """
    frozen = copy.deepcopy(network).eval().requires_grad_(False)
    for module in list(frozen.modules()):
        if is_parametrized(module):
            _bake_parametrizations(module)
    for module in list(frozen.modules()):
        if isinstance(module, nn.Sequential):
            _fold_batch_norm(module)
        if isinstance(module, nn.ReLU | nn.LeakyReLU | nn.ELU | nn.Dropout):
            module.inplace = False  # the first layer's input is the caller's
    return frozen.to(dtype).to(memory_format=torch.channels_last)


def _bake_parametrizations(module: nn.Module) -> None:
    # torch's own remove_parametrizations edits the class, which the copy shares with the original.
    names = list(cast(nn.ModuleDict, module.parametrizations))
    values = {name: getattr(module, name).detach() for name in names}
    module.__class__ = type_before_parametrizations(module)
    del module.parametrizations
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value, requires_grad=False))


def _fold_batch_norm(layers: nn.Sequential) -> None:
    for index in range(len(layers) - 1, 0, -1):
        convolution, norm = layers[index - 1], layers[index]
        if isinstance(norm, nn.BatchNorm2d) and isinstance(
            convolution, nn.Conv2d | nn.ConvTranspose2d
        ):
            transpose = isinstance(convolution, nn.ConvTranspose2d)
            folded = fuse_conv_bn_eval(convolution, norm, transpose)
            layers[index - 1] = folded.requires_grad_(False)
            del layers[index]


class FrozenNetworks:
    """G and f as the search runs them: float32 in and out, computing in another dtype inside.

    Args:
        generator: G, from ``(B, Z)`` to ``(B, C, H, W)``.
        features: f, from ``(B, C, H, W)`` to ``(B, ...)``.
        dtype: What the networks compute in.
    """

    def __init__(self, generator: nn.Module, features: nn.Module, dtype: torch.dtype) -> None:
        self.generator = freeze(generator, dtype)
        self.features = freeze(features, dtype)
        self.dtype = dtype

    def generate(self, latent: torch.Tensor) -> torch.Tensor:
        """G(z).

        Args:
            latent: ``(B, Z)`` float32.

        Returns:
            ``(B, C, H, W)`` float32.
        """
        return self.generator(latent.to(self.dtype)).float()

    def extract(self, images: torch.Tensor) -> torch.Tensor:
        """f(x).

        Args:
            images: ``(B, C, H, W)`` float32.

        Returns:
            ``(B, ...)`` float32.
        """
        return self.features(images.to(self.dtype)).float()
