# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The transposed convolution next to the image, which libraries are slow at."""

import torch
from torch import nn


def to_few_channels(inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Transposed 4 x 4 convolution of stride 2, padding 1, as one matrix product.

    Every input pixel gives a 4 x 4 patch of the output; rows of neighbouring patches overlap by two
    and are added, then columns.

    Args:
        inputs: ``(B, I, H, W)``.
        weight: ``(I, O, 4, 4)``.

    Returns:
        ``(B, O, 2H, 2W)``.
    """
    count, channels, height, width = inputs.shape
    outputs = weight.shape[1]
    flat = inputs.permute(0, 2, 3, 1).reshape(-1, channels)
    kernel = weight.permute(0, 2, 3, 1).reshape(channels, -1)
    patches = (flat @ kernel).reshape(count, height, width, 4, 4, outputs)
    rows = _overlap_add(patches, pixels=1, taps=3).reshape(count, 2 * height, width, 4, outputs)
    full = _overlap_add(rows, pixels=2, taps=3).reshape(count, 2 * height, 2 * width, outputs)
    return full.permute(0, 3, 1, 2)


def _overlap_add(patches: torch.Tensor, pixels: int, taps: int) -> torch.Tensor:
    """Sum the two taps that meet at each output pixel along one axis, even and odd ones stacked."""
    first, second, third, fourth = patches.unbind(taps)
    length = second.shape[pixels]
    even = second + _shifted(fourth, pixels, 0, length)
    odd = third + _shifted(first, pixels, 1, length)
    return torch.stack([even, odd], pixels + 1)


def _shifted(values: torch.Tensor, axis: int, back: int, length: int) -> torch.Tensor:
    """Shift by one along an axis, forwards or back, a zero coming in."""
    kept = values.narrow(axis, back, length - 1)
    zero = torch.zeros_like(values.narrow(axis, 0, 1))
    return torch.cat([kept, zero] if back else [zero, kept], axis)


class ConvToImage(nn.ConvTranspose2d):
    """A transposed 4 x 4 convolution of stride 2 to the few channels of an image.

    Args:
        inputs: Channels that come in.
        outputs: Channels of the image.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, 2, 1)

    def forward(self, inputs: torch.Tensor, output_size: list[int] | None = None) -> torch.Tensor:
        """Compute what :class:`~torch.nn.ConvTranspose2d` does, as one matrix product.

        Args:
            inputs: ``(B, I, H, W)``.
            output_size: None: twice the size of the inputs is the only one.

        Returns:
            ``(B, O, 2H, 2W)``.
        """
        del output_size
        images = to_few_channels(inputs, self.weight)
        return images if self.bias is None else images + self.bias[:, None, None]
