# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""DCGAN generator and discriminator (Radford et al. 2015) for 32 to 256 pixels, and an encoder.

All of them halve or double the side length per layer with 4 x 4 convolutions of stride 2 and
meet at a 4 x 4 map, so a 64 x 64 image has four such layers, as in the paper. The width doubles
from layer to layer up to eight times ``width``.
"""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as add_spectral_norm

from anogan_plugin.latent_search.to_few_channels import ConvToImage

IMAGE_SIZES = (32, 64, 128, 256)
CHANNELS = (1, 3)
DISCRIMINATOR_NORMS = ("batch", "spectral", "none")
_MAX_MULTIPLE = 8
_LEAK = 0.2


def layer_widths(image_size: int, width: int) -> list[int]:
    """Channels after each stride-2 layer, from the image towards the 4 x 4 map.

    Args:
        image_size: Side length of the square image in pixels, one of :data:`IMAGE_SIZES`.
        width: Channels of the layer next to the image.

    Returns:
        One number per layer.

    Raises:
        ValueError: If the image size or the width is not supported.

    Example:
        >>> layer_widths(64, 64)
        [64, 128, 256, 512]
    """
    if image_size not in IMAGE_SIZES:
        msg = f"image_size must be one of {IMAGE_SIZES}, got {image_size}"
        raise ValueError(msg)
    if width < 1:
        msg = f"width must be at least 1, got {width}"
        raise ValueError(msg)
    layers = image_size.bit_length() - 3
    return [width * min(2**i, _MAX_MULTIPLE) for i in range(layers)]


def _check_channels(channels: int) -> None:
    if channels not in CHANNELS:
        msg = f"channels must be 1 (grey) or 3 (colour), got {channels}"
        raise ValueError(msg)


def initialise_dcgan(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and BatchNorm scales from N(1, 0.02) (Radford 2015, sec. 4).

    Args:
        module: One layer; meant for :meth:`torch.nn.Module.apply`.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def _initialise_he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, _LEAK)


class Generator(nn.Module):
    """``G``: latent vectors to images in [-1, 1].

    Args:
        image_size: Side length of the images in pixels, one of :data:`IMAGE_SIZES`.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector ``z``.
        width: Channels of the layer next to the image; deeper layers have up to eight times this.

    Raises:
        ValueError: If a size is not supported.

    Example:
        >>> Generator(image_size=32, channels=1, latent_size=8, width=4)(torch.zeros(2, 8)).shape
        torch.Size([2, 1, 32, 32])
    """

    def __init__(self, image_size: int, channels: int, latent_size: int, width: int) -> None:
        super().__init__()
        _check_channels(channels)
        self.latent_size = latent_size
        outwards = layer_widths(image_size, width)[::-1]
        layers: list[nn.Module] = []
        stride, padding, previous = 1, 0, latent_size
        for features in outwards:
            layers += [
                nn.ConvTranspose2d(previous, features, 4, stride, padding, bias=False),
                nn.BatchNorm2d(features),
                nn.ReLU(inplace=True),
            ]
            stride, padding, previous = 2, 1, features
        layers += [ConvToImage(previous, channels), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise_dcgan)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Generate images.

        Args:
            z: ``(B, latent_size)`` float latent vectors, in training drawn from N(0, I).

        Returns:
            ``(B, channels, image_size, image_size)`` images in [-1, 1].
        """
        return self.layers(z[:, :, None, None])

    def as_chain(self) -> nn.Sequential:
        """The same function of the same weights as a plain sequence of layers.

        Returns:
            Layers from ``(B, latent_size)`` to the images, for what needs to see each of them.
        """
        return nn.Sequential(nn.Unflatten(1, (self.latent_size, 1, 1)), *self.layers)


def downsampling_layers(image_size: int, channels: int, width: int, norm: str) -> nn.Sequential:
    """Stride-2 convolutions from an image to a 4 x 4 map, as D has them.

    Args:
        image_size: Side length of the images in pixels, one of :data:`IMAGE_SIZES`.
        channels: 1 for grey, 3 for colour.
        width: Channels of the first layer; deeper layers have up to eight times this.
        norm: One of :data:`DISCRIMINATOR_NORMS`; spectral norm is added by :func:`initialise`.

    Returns:
        Layers to ``(B, layer_widths(image_size, width)[-1], 4, 4)``.

    Raises:
        ValueError: If a size or the norm is not supported.
    """
    _check_channels(channels)
    if norm not in DISCRIMINATOR_NORMS:
        msg = f"discriminator_norm must be one of {DISCRIMINATOR_NORMS}, got {norm!r}"
        raise ValueError(msg)
    layers: list[nn.Module] = []
    previous = channels
    for features in layer_widths(image_size, width):
        batch_norm = norm == "batch" and len(layers) > 0  # not after D's input layer
        layers.append(nn.Conv2d(previous, features, 4, 2, 1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(features))
        layers.append(nn.LeakyReLU(_LEAK, inplace=True))
        previous = features
    return nn.Sequential(*layers)


def initialise(network: nn.Module, norm: str) -> None:
    """Draw the weights that suit a norm, and add spectral norm where that is the norm.

    Args:
        network: A whole discriminator or encoder.
        norm: One of :data:`DISCRIMINATOR_NORMS`. ``"batch"`` and ``"spectral"`` go with N(0, 0.02),
            ``"none"`` with He's distribution, as nothing else keeps the activations' scale.
    """
    network.apply(initialise_dcgan if norm != "none" else _initialise_he)
    if norm == "spectral":
        for module in list(network.modules()):
            if isinstance(module, nn.Conv2d | nn.Linear):
                add_spectral_norm(module)


class Discriminator(nn.Module):
    """``D``: images in [-1, 1] to one logit each, with the features ``f`` that AnoGAN compares.

    ``f(x)`` is the activation of the last stride-2 layer, the 4 x 4 map in front of the logit: the
    intermediate layer that the AnoGAN papers leave open.

    Args:
        image_size: Side length of the images in pixels, one of :data:`IMAGE_SIZES`.
        channels: 1 for grey, 3 for colour.
        width: Channels of the first layer; deeper layers have up to eight times this.
        norm: ``"batch"`` for BatchNorm as in the paper, ``"spectral"`` to divide every weight by
            its spectral norm (Miyato et al. 2018), ``"none"`` for neither, with He initialisation
            in place of the normal distribution that relies on BatchNorm.

    Raises:
        ValueError: If a size or the norm is not supported.

    Example:
        >>> discriminator = Discriminator(image_size=32, channels=1, width=4, norm="spectral")
        >>> discriminator(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2])
        >>> discriminator.features(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 16, 4, 4])
    """

    def __init__(self, image_size: int, channels: int, width: int, norm: str) -> None:
        super().__init__()
        self.features = downsampling_layers(image_size, channels, width, norm)
        self.logit = nn.Conv2d(layer_widths(image_size, width)[-1], 1, 4)
        initialise(self, norm)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Judge images.

        Args:
            images: ``(B, channels, image_size, image_size)`` float in [-1, 1].

        Returns:
            ``(B,)`` float32 logits, positive for "real".
        """
        return self.logit(self.features(images)).flatten().float()


class Encoder(nn.Module):
    """``E``: images in [-1, 1] to latent vectors, the layers of D with its width and norm.

    Args:
        image_size: Side length of the images in pixels, one of :data:`IMAGE_SIZES`.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the first layer; deeper layers have up to eight times this.
        norm: As :class:`Discriminator` has it.

    Raises:
        ValueError: If a size or the norm is not supported.

    Example:
        >>> encoder = Encoder(image_size=32, channels=1, latent_size=8, width=4, norm="batch")
        >>> encoder(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 8])
    """

    def __init__(
        self, image_size: int, channels: int, latent_size: int, width: int, norm: str
    ) -> None:
        super().__init__()
        self.layers = downsampling_layers(image_size, channels, width, norm)
        self.layers.append(nn.Conv2d(layer_widths(image_size, width)[-1], latent_size, 4))
        initialise(self, norm)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images.

        Args:
            images: ``(B, channels, image_size, image_size)`` float in [-1, 1].

        Returns:
            ``(B, latent_size)`` float32 latent vectors.
        """
        return self.layers(images).flatten(1).float()
