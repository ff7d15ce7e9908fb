# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is searched in a benchmark: networks and images, trained ones or a stand-in."""

from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import nn

_STAND_IN_LATENT = 100
_CONTRAST = 8  # of the random weights next to the image: N(0, 0.02) makes it almost flat
_PATCH = 20  # side of the dark square on the stand-in's anomalous images, in pixels


class Subject(NamedTuple):
    """Networks and images of one benchmark.

    Attributes:
        description: What they are, for the report.
        generator: G as a chain of layers.
        features: f.
        latent_size: Z.
        images: ``(N, C, H, W)`` in [-1, 1].
        labels: ``(N,)`` 0 for good, 1 for anomalous.
    """

    description: str
    generator: nn.Sequential
    features: nn.Sequential
    latent_size: int
    images: torch.Tensor
    labels: torch.Tensor


def stand_in(images: int, width: int, seed: int = 0) -> Subject:
    """The papers' DCGAN with random weights, for what does not depend on them: the speed.

    Good images are its own; anomalous ones are, too, but for a dark square.

    Args:
        images: Number of images, half of them anomalous.
        width: Channels of the layer next to the image.
        seed: Seed of weights and images.

    Returns:
        Networks for 64 x 64 grey images, with BatchNorm as in the papers, and images.
    """
    from anogan_plugin.models.components.dcgan import Discriminator, Generator

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(64, 1, _STAND_IN_LATENT, width)
        discriminator = Discriminator(64, 1, width, "batch")
        with torch.no_grad():
            # In training mode once, so that BatchNorm's statistics are those of its inputs: with
            # the initial ones the images would be flat.
            for norm in generator.modules():
                if isinstance(norm, nn.BatchNorm2d):
                    norm.momentum = 1.0
            generator(torch.randn(256, _STAND_IN_LATENT))
            cast(nn.ConvTranspose2d, generator.layers[-2]).weight *= _CONTRAST
            made = generator.eval()(torch.randn(images, _STAND_IN_LATENT))
    labels = torch.arange(images) % 2
    made[labels == 1, :, 8 : 8 + _PATCH, 8 : 8 + _PATCH] = -1
    description = (
        f"DCGAN of width {width} with random weights, its own images, dark squares on half"
    )
    return Subject(
        description,
        generator.as_chain(),
        discriminator.features,
        _STAND_IN_LATENT,
        made,
        labels,
    )


def trained(checkpoint: Path, data: Path, kind: str, images: int, digit: int = 1) -> Subject:
    """A trained AnoGAN and random test images, the same ones every time.

    Args:
        checkpoint: AnoGAN's ``model.ckpt``.
        data: Root of the data module.
        kind: ``"ICMold"``, or ``"OneClassDigits"``.
        images: Number of images, half of them anomalous; as many as there are if fewer.
        digit: The good one of ``OneClassDigits``.

    Returns:
        Its networks and the images.
    """
    from anomalib.pre_processing import PreProcessor

    from anogan_plugin import AnoGAN, ICMold, OneClassDigits

    model = cast(AnoGAN, AnoGAN.load_from_checkpoint(checkpoint, map_location="cpu").eval())
    transform = cast(PreProcessor, model.pre_processor).transform
    assert transform is not None
    size = int(model.hparams["image_size"])
    module = (
        ICMold(root=data)
        if kind == "ICMold"
        else OneClassDigits(root=data, normal_digits=[digit], image_size=size)
    )
    module.setup()
    subset = module.test_subset(images // 2)
    items = [subset[i] for i in range(len(subset))]
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(0)).tolist()
    items = [items[i] for i in order]  # so that the first few hold both kinds
    batch = torch.stack([cast(torch.Tensor, item.image) for item in items])
    return Subject(
        f"AnoGAN of width {model.settings.width} trained on {kind}"
        + ("" if kind == "ICMold" else f", digit {digit}"),
        model.model.generator.as_chain(),
        model.model.discriminator.features,
        model.settings.latent_size,
        model.model.images_of(transform(batch)),
        torch.tensor([int(cast(torch.Tensor, item.gt_label)) for item in items]),
    )
