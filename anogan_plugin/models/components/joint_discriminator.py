# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Discriminators of pairs: of an image and a latent vector, of two images, of two latent vectors.

Each gives the activation of its last layer before the logit, the features ``f`` that anomaly
scores compare, and the logit of those.
"""

from abc import abstractmethod

import torch
from torch import nn

from anogan_plugin.models.components.dcgan import downsampling_layers, initialise, layer_widths

_MAP = 4  # side length of the map that the convolutions end with
_LATENT_MULTIPLE, _JOINT_MULTIPLE = 8, 16
_LATENT_PAIR_WIDTHS = (64, 32)


class PairDiscriminator(nn.Module):
    """``D(a, b)``: one logit per pair, from features of the pair."""

    logit: nn.Module

    @abstractmethod
    def features(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The activation before the logit, as a vector per pair.

        Args:
            first: ``(B, ...)`` float.
            second: ``(B, ...)`` float.

        Returns:
            ``(B, F)``.
        """

    def judge(self, features: torch.Tensor) -> torch.Tensor:
        """The logit of features.

        Args:
            features: ``(B, F)`` from :meth:`features`.

        Returns:
            ``(B,)`` float32 logits, positive for "real".
        """
        return self.logit(features).flatten().float()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Judge pairs.

        Args:
            first: ``(B, ...)`` float.
            second: ``(B, ...)`` float.

        Returns:
            ``(B,)`` float32 logits, positive for "real".
        """
        return self.judge(self.features(first, second))


class JointDiscriminator(PairDiscriminator):
    """``D(x, z)`` of BiGAN (Donahue et al. 2017): an image and its latent vector.

    Stride-2 convolutions on x, one linear layer on z, one linear layer on both, whose activation is
    ``f(x, z)``. With ``width`` 64 the linear layers have the 512 and 1024 features of Zenati et al.

    Args:
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the first layer; deeper layers have up to eight times this.
        norm: ``"batch"`` or ``"none"``, of the convolutions.
        leak: Slope of LeakyReLU below 0.
        dropout: Share of every layer's activations that is left out in training.

    Raises:
        ValueError: If a size or the norm is not supported.

    Example:
        >>> d = JointDiscriminator(32, 1, 8, width=4, norm="none", leak=0.2, dropout=0.0)
        >>> d(torch.zeros(2, 1, 32, 32), torch.zeros(2, 8)).shape
        torch.Size([2])
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        norm: str,
        leak: float,
        dropout: float,
    ) -> None:
        super().__init__()
        of_latent, joint = _LATENT_MULTIPLE * width, _JOINT_MULTIPLE * width
        convolutions = downsampling_layers(image_size, channels, width, norm)
        self.of_image = nn.Sequential(*_regularised(convolutions, leak, dropout), nn.Flatten())
        self.of_latent = _linear(latent_size, of_latent, leak, dropout)
        of_image = layer_widths(image_size, width)[-1] * _MAP**2
        self.joint = _linear(of_image + of_latent, joint, leak, dropout)
        self.logit = nn.Linear(joint, 1)
        initialise(self, norm)

    def features(self, images: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
        """``f(x, z)``.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].
            latent: ``(B, latent_size)`` float.

        Returns:
            ``(B, 16 · width)``.
        """
        of_latent = self.of_latent(latent)
        return self.joint(torch.cat([self.of_image(images).to(of_latent.dtype), of_latent], 1))


class ImagePairDiscriminator(PairDiscriminator):
    """``D(x, x̂)``: an image and its reconstruction, stacked as channels.

    Args:
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: Of one image: 1 for grey, 3 for colour.
        width: Channels of the first layer; deeper layers have up to eight times this.
        norm: ``"batch"`` or ``"none"``, of the convolutions.
        leak: Slope of LeakyReLU below 0.
        dropout: Share of every layer's activations that is left out in training.

    Raises:
        ValueError: If a size is not supported.

    Example:
        >>> d = ImagePairDiscriminator(32, 1, width=4, norm="none", leak=0.2, dropout=0.0)
        >>> d.features(torch.zeros(2, 1, 32, 32), torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 256])
    """

    def __init__(
        self, image_size: int, channels: int, width: int, norm: str, leak: float, dropout: float
    ) -> None:
        super().__init__()
        convolutions = downsampling_layers(image_size, channels, width, norm)
        convolutions[0] = nn.Conv2d(2 * channels, width, 4, 2, 1)
        self.of_images = nn.Sequential(*_regularised(convolutions, leak, dropout), nn.Flatten())
        self.logit = nn.Linear(layer_widths(image_size, width)[-1] * _MAP**2, 1)
        initialise(self, norm)

    def features(self, images: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
        """``f(x, x̂)``.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].
            reconstruction: The same shape and range.

        Returns:
            ``(B, F)``, the 4 x 4 map of the last convolution.
        """
        return self.of_images(torch.cat([images, reconstruction.to(images.dtype)], 1))


class LatentPairDiscriminator(PairDiscriminator):
    """``D(z, ẑ)``: a latent vector and its reconstruction.

    Args:
        latent_size: Length of one latent vector.
        norm: ``"batch"`` or ``"none"``: how the other networks' weights are drawn.
        leak: Slope of LeakyReLU below 0.
        dropout: Share of every layer's activations that is left out in training.

    Example:
        >>> d = LatentPairDiscriminator(8, norm="none", leak=0.2, dropout=0.0)
        >>> d(torch.zeros(2, 8), torch.zeros(2, 8)).shape
        torch.Size([2])
    """

    def __init__(self, latent_size: int, norm: str, leak: float, dropout: float) -> None:
        super().__init__()
        first, second = _LATENT_PAIR_WIDTHS
        self.of_latents = nn.Sequential(
            _linear(2 * latent_size, first, leak, dropout),
            _linear(first, second, leak, dropout),
        )
        self.logit = nn.Linear(second, 1)
        initialise(self, norm)

    def features(self, latent: torch.Tensor, reconstruction: torch.Tensor) -> torch.Tensor:
        """``f(z, ẑ)``.

        Args:
            latent: ``(B, latent_size)`` float.
            reconstruction: The same shape.

        Returns:
            ``(B, 32)``.
        """
        return self.of_latents(torch.cat([latent, reconstruction.to(latent.dtype)], 1))


def _regularised(layers: nn.Sequential, leak: float, dropout: float) -> list[nn.Module]:
    regularised: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.LeakyReLU):
            regularised += [nn.LeakyReLU(leak, inplace=True), nn.Dropout(dropout)]
        else:
            regularised.append(layer)
    return regularised


def _linear(inputs: int, outputs: int, leak: float, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, outputs), nn.LeakyReLU(leak, inplace=True), nn.Dropout(dropout)
    )
