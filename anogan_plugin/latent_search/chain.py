# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A chain of frozen layers with its adjoint written out: gradients without autograd.

Autograd records, allocates and walks a graph anew at each of thousands of steps. For a chain of
convolutions and activations the gradient with respect to the input is a chain of the same kind,
backwards: the adjoint of a convolution is the transposed convolution with the same weights, and the
other way round. Written as plain operations it needs no graph, can be compiled as a whole, and the
layers next to the image can be computed as matrix products.
"""

from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from anogan_plugin.latent_search.to_few_channels import ConvToImage, to_few_channels

_FEW_CHANNELS = 4  # a transposed convolution to fewer is slow in every library we measured
_DOWN, _UP = (nn.Conv2d,), (nn.ConvTranspose2d, ConvToImage)
# Exact types: a subclass may compute something else.
_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh)
_HALVING, _TO_ONE = ((4, 4), (2, 2), (1, 1)), ((4, 4), (1, 1), (0, 0))


def is_chain(network: nn.Module) -> bool:
    """Whether :class:`Chain` can stand for a network.

    Args:
        network: A frozen network, BatchNorm folded.

    Returns:
        True for a :class:`~torch.nn.Sequential` of plain 4 x 4 convolutions and activations, with
        an ``Unflatten`` of latent vectors in front or without.

    Example:
        >>> is_chain(nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2)))
        True
        >>> is_chain(nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2)))
        False
    """
    if type(network) is not nn.Sequential or len(network) == 0:
        return False
    first, *others = network
    unflattens = type(first) is nn.Unflatten and first.dim == 1
    return (unflattens or _is_supported(first)) and all(map(_is_supported, others))


def _is_supported(layer: nn.Module) -> bool:
    if type(layer) in _DOWN + _UP:
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        plain = layer.groups == 1 and set(layer.dilation) == {1} and layer.padding_mode == "zeros"
        known = (layer.kernel_size, layer.stride, layer.padding) in (_HALVING, _TO_ONE)
        return plain and known and getattr(layer, "output_padding", (0, 0)) == (0, 0)
    if isinstance(layer, nn.LeakyReLU) and layer.negative_slope <= 0:
        return False  # its output would not show the sign of its input
    return type(layer) in _ACTIVATIONS


class Chain:
    """Forward pass and adjoint of a chain of frozen layers.

    Args:
        network: What :func:`is_chain` accepts, frozen.
    """

    def __init__(self, network: nn.Sequential) -> None:
        self.layers = list(network)
        for before, layer in pairwise(self.layers):
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                # The adjoint does not need what a convolution gave; it needs what tanh gave.
                layer.inplace = type(before) in _DOWN + _UP

    def takes(self, side: int) -> bool:
        """Whether maps of a side length pass through without a remainder.

        Only then is a convolution exactly the adjoint of the transposed one.

        Args:
            side: Height or width of the inputs in pixels.
        """
        for layer in self.layers:
            if type(layer) in _DOWN:
                halves = layer.stride == (2, 2)
                if halves and side % 2:
                    return False
                side = side // 2 if halves else side - 3
            elif type(layer) in _UP:
                side = 2 * side if layer.stride == (2, 2) else side + 3
        return True

    def forward(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """Pass inputs through.

        Args:
            inputs: ``(B, ...)`` in the chain's dtype.

        Returns:
            Each layer's output; the last is the chain's.
        """
        outputs: list[torch.Tensor] = []
        for layer in self.layers:
            inputs = _forward(layer, inputs)
            outputs.append(inputs)
        return outputs

    def adjoint(self, outputs: list[torch.Tensor], gradient: torch.Tensor) -> torch.Tensor:
        """Pass a gradient back.

        Args:
            outputs: What :meth:`forward` returned.
            gradient: Gradient with respect to the last output, of its shape.

        Returns:
            Gradient with respect to the inputs, of their shape.
        """
        for layer, output in zip(reversed(self.layers), reversed(outputs), strict=True):
            gradient = _adjoint(layer, output, gradient)
        return gradient


def _forward(layer: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, nn.ConvTranspose2d):
        outputs = _transposed_convolution(inputs, layer)
        # The bias is added to a fresh tensor, so in place.
        return outputs if layer.bias is None else outputs.add_(layer.bias[:, None, None])
    return layer(inputs)


def _adjoint(layer: nn.Module, output: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, nn.Conv2d):
        return _transposed_convolution(gradient, layer)
    if isinstance(layer, nn.ConvTranspose2d):
        return F.conv2d(gradient, layer.weight, None, layer.stride, layer.padding)
    if isinstance(layer, nn.ReLU):
        return torch.ops.aten.threshold_backward(gradient, output, 0)
    if isinstance(layer, nn.LeakyReLU):  # a positive slope keeps the sign: the output shows it
        return torch.ops.aten.leaky_relu_backward(gradient, output, layer.negative_slope, True)
    if isinstance(layer, nn.Tanh):
        return torch.ops.aten.tanh_backward(gradient, output)
    return gradient.flatten(1)  # Unflatten


def _transposed_convolution(
    inputs: torch.Tensor, layer: nn.Conv2d | nn.ConvTranspose2d
) -> torch.Tensor:
    if layer.stride == (2, 2) and layer.weight.shape[1] < _FEW_CHANNELS:
        return to_few_channels(inputs, layer.weight)
    padding = cast(tuple[int, ...], layer.padding)
    return F.conv_transpose2d(inputs, layer.weight, None, layer.stride, padding)
