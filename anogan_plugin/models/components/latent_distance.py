# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How far from good images' latent vectors the search had to go."""

import torch

from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.learnt_from_good import FEWEST_IMAGES, LearntFromGood

_LEAST_VARIANCE = 0.1  # of a coordinate of z, which is N(0, 1) where G learnt


class LatentDistance(LearntFromGood):
    """The Mahalanobis distance of a latent vector from those of good images.

    A generator with many latent dimensions also makes what it was never shown, if z goes far
    enough: what is left of the image is small then, and the way to it long. With μ and C, mean and
    covariance of the z_Γ of N good images, the distance is

        √((z − μ)ᵀ (C + 0.1·I)⁻¹ (z − μ)),

    the prior N(μ, C) of z that residuals leave out; 0.1·I keeps directions in which good images
    hardly differ from counting for everything.

    Args:
        latent_size: Length L of a latent vector.

    Example:
        >>> distance = LatentDistance(latent_size=2)
        >>> distance.fit(torch.randn(1000, 2))
        >>> distance(torch.tensor([[0.0, 0.0], [5.0, 0.0]])).argmax()
        tensor(1)
    """

    centre: torch.Tensor
    whitening: torch.Tensor

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(latent_size))
        self.register_buffer("whitening", torch.eye(latent_size))

    @torch.no_grad()
    def fit(self, latents: torch.Tensor) -> None:
        """Learn where good images lie.

        Args:
            latents: ``(N, L)`` float32, z_Γ of good images.

        Raises:
            ValueError: If there are fewer than
                :data:`~anogan_plugin.models.components.learnt_from_good.FEWEST_IMAGES`.
        """
        check_at_least(FEWEST_IMAGES, number_of_good_images=len(latents))
        covariance = torch.cov(latents.double().T)
        covariance += _LEAST_VARIANCE * torch.eye(len(covariance), device=latents.device)
        self.centre.copy_(latents.double().mean(0))
        self.whitening.copy_(torch.linalg.inv(torch.linalg.cholesky(covariance)))
        self.fitted = True

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """The distances.

        Args:
            latents: ``(B, L)`` float32.

        Returns:
            ``(B,)``, at least 0; about √L for a good image.
        """
        return ((latents - self.centre) @ self.whitening.T).norm(dim=1)
