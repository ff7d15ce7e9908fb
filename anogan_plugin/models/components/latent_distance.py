# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How far from good images' latent vectors the search had to go."""

from typing import Any

import torch

from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.learnt_from_good import FEWEST_IMAGES, LearntFromGood

_LEAST_DEVIATION = 0.3  # of a coordinate of z, which is N(0, 1) where G learnt


class LatentDistance(LearntFromGood):
    """How many standard deviations a latent vector is from those of good images.

    A generator with many latent dimensions also makes what it was never shown, if z goes far
    enough: what is left of the image is small then, and the way to it long. With μ and σ, mean and
    standard deviation of each coordinate of the z_Γ of good images, the distance is

        √ Σ ((z − μ) / max(σ, 0.3))²,

    the prior of z that residuals leave out; 0.3 keeps coordinates in which good images hardly
    differ from counting for everything. Correlations are left out: there are too many for the good
    images that teach them.

    Args:
        latent_size: Length L of a latent vector.

    Example:
        >>> distance = LatentDistance(latent_size=2)
        >>> distance.fit(torch.randn(1000, 2))
        >>> distance(torch.tensor([[0.0, 0.0], [5.0, 0.0]])).argmax()
        tensor(1)
    """

    centre: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(latent_size))
        self.register_buffer("deviation", torch.ones(latent_size))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        # Until it counted each coordinate by itself it had this, and another scale.
        if f"{prefix}whitening" in state_dict:
            for name in [name for name in state_dict if name.startswith(prefix)]:
                del state_dict[name]
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)

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
        deviation, centre = torch.std_mean(latents, dim=0)
        self.centre.copy_(centre)
        self.deviation.copy_(deviation.clamp_min(_LEAST_DEVIATION))
        self.fitted = True

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """The distances.

        Args:
            latents: ``(B, L)`` float32.

        Returns:
            ``(B,)``, at least 0; about √L for a good image.
        """
        return ((latents - self.centre) / self.deviation).norm(dim=1)
