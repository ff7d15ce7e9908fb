# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's search as public implementations write it: what ours is timed against, and its oracle.

Deliberately plain. Nothing here is shared with the search that the package uses, so that a mistake
in one shows as a difference.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

AfterStep = Callable[[], None]


def as_usual(network: nn.Module) -> nn.Module:
    """Copy a network, with torch's own transposed convolutions in place of ours.

    Args:
        network: Any network.

    Returns:
        The same function, contiguous in memory, as a public implementation would have it.
    """
    network = copy.deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            layer.__class__ = nn.ConvTranspose2d
    return network.to(memory_format=torch.contiguous_format)


def one_at_a_time(
    generator: nn.Module,
    features: nn.Module,
    images: torch.Tensor,
    start: torch.Tensor,
    steps: int,
    after_step: AfterStep,
) -> torch.Tensor:
    """Search image by image: f(x) computed in every step, gradients flowing to the weights too.

    Args:
        generator: G, from ``(B, Z)`` to images.
        features: f.
        images: ``(N, C, H, W)`` in [-1, 1].
        start: ``(1, Z)`` latent vector z₁.
        steps: Γ.
        after_step: Called after each step of an image.

    Returns:
        ``(N,)`` scores A(x), λ = 0.1.
    """
    generator.eval().requires_grad_(True)
    features.eval().requires_grad_(True)
    scores = []
    for image in images:
        x = image[None]
        z = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = _score(generator, features, x, z).sum()
            loss.backward()
            optimizer.step()
            after_step()
        with torch.no_grad():
            scores.append(_score(generator, features, x, z))
    return torch.cat(scores)


def batched(
    generator: nn.Module,
    features: nn.Module,
    images: torch.Tensor,
    start: torch.Tensor,
    steps: int,
    batch_size: int,
    after_step: AfterStep,
) -> torch.Tensor:
    """Search for many images at once in float32 with plain autograd; weights ask for no gradient.

    Args:
        generator: G, from ``(B, Z)`` to images.
        features: f.
        images: ``(N, C, H, W)`` in [-1, 1].
        start: ``(1, Z)`` latent vector z₁.
        steps: Γ.
        batch_size: Images at once.
        after_step: Called after each step of a batch.

    Returns:
        ``(N,)`` scores A(x), λ = 0.1.
    """
    generator.eval().requires_grad_(False)
    features.eval().requires_grad_(False)
    scores = []
    for x in images.split(batch_size):
        z = start.repeat(len(x), 1).requires_grad_()
        optimizer = torch.optim.Adam([z], lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            _score(generator, features, x, z).sum().backward()
            optimizer.step()
            after_step()
        with torch.no_grad():
            scores.append(_score(generator, features, x, z))
    return torch.cat(scores)


def _score(
    generator: nn.Module, features: nn.Module, x: torch.Tensor, z: torch.Tensor
) -> torch.Tensor:
    made = generator(z)
    residual = torch.sum(torch.abs(x - made), dim=(1, 2, 3))
    discrimination = torch.sum(torch.abs(features(x) - features(made)), dim=(1, 2, 3))
    return 0.9 * residual + 0.1 * discrimination
