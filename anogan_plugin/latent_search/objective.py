# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's loss of a latent vector, and its gradient."""

import warnings
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import torch
from torch import nn

from anogan_plugin.latent_search.capacity import is_out_of_memory
from anogan_plugin.latent_search.chain import Chain, is_chain
from anogan_plugin.latent_search.frozen import FrozenNetworks

_Gradient = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

_Result = TypeVar("_Result")


def sum_of_differences(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Σ|first − second| for each item of a batch: both of AnoGAN's losses.

    Args:
        first: ``(B, ...)`` images or features.
        second: The same shape.

    Returns:
        ``(B,)`` sums, not means, as the papers have them.

    Example:
        >>> sum_of_differences(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]))
        tensor([3.])
    """
    return (first - second).abs().flatten(1).sum(1)


class Losses(NamedTuple):
    """The losses of B latent vectors, all float32.

    Attributes:
        reconstruction: ``(B, C, H, W)`` images G(z).
        residual: ``(B,)`` Σ|x − G(z)|, in the images' grey levels.
        discrimination: ``(B,)`` Σ|f(x) − f(G(z))|.
        total: ``(B,)`` (1 − λ)·residual + λ·discrimination.
    """

    reconstruction: torch.Tensor
    residual: torch.Tensor
    discrimination: torch.Tensor
    total: torch.Tensor


class Objective:
    """L(z) = (1 − λ)·Σ|x − G(z)| + λ·Σ|f(x) − f(G(z))| for frozen G and f.

    The gradient is written out by hand where both networks are plain chains of convolutions and
    activations (:mod:`~anogan_plugin.latent_search.chain`), and is autograd's for any others.

    Args:
        generator: G, from ``(B, Z)`` to ``(B, C, H, W)``.
        features: f, from ``(B, C, H, W)`` to ``(B, ...)``.
        discrimination_weight: λ.
        dtype: What the networks compute in.
        residual_only: Leave the second sum out of the loss and its gradient, and f uncomputed.
    """

    def __init__(
        self,
        generator: nn.Module,
        features: nn.Module,
        discrimination_weight: float,
        dtype: torch.dtype = torch.float32,
        residual_only: bool = False,
    ) -> None:
        self.networks = FrozenNetworks(generator, features, dtype)
        self.discrimination_weight = discrimination_weight
        self.residual_only = residual_only
        frozen = (self.networks.generator, self.networks.features)
        self._gradient: _Gradient = self._by_autograd
        if all(is_chain(network) for network in frozen):
            self._generator, self._features = (Chain(cast(nn.Sequential, n)) for n in frozen)
            self._gradient = self._by_hand

    @property
    def by_hand(self) -> bool:
        """Whether the gradient is the one written out by hand."""
        return self._gradient != self._by_autograd

    def extract(self, images: torch.Tensor) -> torch.Tensor:
        """f(x), once for all steps.

        Args:
            images: ``(B, C, H, W)`` float32.

        Returns:
            ``(B, ...)`` float32.
        """
        with torch.no_grad():
            return self.networks.extract(images)

    def losses(self, latent: torch.Tensor, images: torch.Tensor) -> Losses:
        """The losses, their parts and the reconstruction.

        Args:
            latent: ``(B, Z)`` float32.
            images: ``(B, C, H, W)`` float32.

        Returns:
            Both losses and their weighted sum.
        """
        with torch.no_grad():
            reconstruction = self.networks.generate(latent)
            residual = sum_of_differences(images, reconstruction)
            discrimination = sum_of_differences(
                self.networks.extract(images), self.networks.extract(reconstruction)
            )
            weight = self.discrimination_weight
            total = (1 - weight) * residual + weight * discrimination
        return Losses(reconstruction, residual, discrimination, total)

    def loss_and_gradient(
        self, latent: torch.Tensor, images: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """L(z) and ∇L(z), each image's by itself.

        Args:
            latent: ``(B, Z)`` float32.
            images: ``(B, C, H, W)`` float32.
            features: ``(B, ...)`` float32, f(x) as :meth:`extract` gives it.

        Returns:
            ``(B,)`` losses and ``(B, Z)`` gradients, both float32.
        """
        if self.by_hand and not all(map(self._features.takes, images.shape[2:])):
            return self._by_autograd(latent, images, features)
        return self._gradient(latent, images, features)

    def compile(self) -> None:
        """Compile the gradient for the size of the first batch that comes; others run as before.

        Where the compiler fails, warn and stay with the plain gradient. Only the gradient written
        by hand is one graph; autograd's is left alone.
        """
        if self.by_hand:
            self._gradient = _CompiledForOneSize(self._by_hand)

    def _by_autograd(
        self, latent: torch.Tensor, images: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            latent = latent.detach().requires_grad_()
            reconstruction = self.networks.generate(latent)
            loss = (1 - self.discrimination_weight) * sum_of_differences(images, reconstruction)
            if not self.residual_only:
                generated = self.networks.extract(reconstruction)
                loss = loss + self.discrimination_weight * sum_of_differences(features, generated)
            # An image's loss depends on its own z only, so the sum's gradient holds each one's.
            (gradient,) = torch.autograd.grad(loss.sum(), latent)
        return loss.detach(), gradient

    def _by_hand(
        self, latent: torch.Tensor, images: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            generated = self._generator.forward(latent.to(self.networks.dtype))
            loss, at_image = _weighted_difference(
                generated[-1], images, 1 - self.discrimination_weight
            )
            if not self.residual_only:
                extracted = self._features.forward(generated[-1])
                loss_of_f, at_features = _weighted_difference(
                    extracted[-1], features, self.discrimination_weight
                )
                loss = loss + loss_of_f
                at_image = at_image + self._features.adjoint(extracted, at_features)
            gradient = self._generator.adjoint(generated, at_image)
        return loss, gradient.float()


class _CompiledForOneSize:
    def __init__(self, plain: _Gradient) -> None:
        self._plain = plain
        self._compiled = self._tried(lambda: torch.compile(plain, dynamic=False))
        self._size: int | None = None

    def __call__(
        self, latent: torch.Tensor, images: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self._size = self._size or len(latent)
        if self._compiled is not None and len(latent) == self._size:
            compiled = self._compiled
            result = self._tried(lambda: compiled(latent, images, features))
            if result is not None:
                return result
            self._compiled = None
        return self._plain(latent, images, features)

    @staticmethod
    def _tried(function: Callable[[], _Result]) -> _Result | None:
        try:
            return function()
        except Exception as error:  # compilers fail in as many ways as there are compilers
            if is_out_of_memory(error):
                raise
            warnings.warn(
                f"the latent search goes on uncompiled, with the same result: {error}",
                stacklevel=3,
            )
            return None


def _weighted_difference(
    found: torch.Tensor, wanted: torch.Tensor, weight: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """w·Σ|found − wanted| per item, and its gradient: w·sign, 0 at 0 as autograd has it."""
    difference = found.float() - wanted
    return weight * difference.abs().flatten(1).sum(1), (weight * difference.sign()).to(found.dtype)
