# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""VAE's network and score, without Lightning (Kingma & Welling 2014; An & Cho 2015)."""

import torch

from anogan_plugin.models.components.autoencoder import Autoencoder
from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.image_scores import (
    RESIDUAL_SCORES,
    ImageScores,
    check_image_score,
    reconstruction_scores,
    residual_scores,
)
from anogan_plugin.models.vae.loss import kl_to_normal, reconstruction_cost

IMAGE_SCORES = (*RESIDUAL_SCORES, "elbo")


class VAEModel(Autoencoder):
    """An autoencoder whose latent vectors are distributions, kept near N(0, I).

    Args:
        image_size: Side length of the square images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in the encoder and in the decoder.
        kl_weight: β, the weight of the KL term.
        pixel_std: σ of p(x|z), in grey levels of [-1, 1].
        image_score: ``"sum"``, ``"mean"``, ``"local"``, ``"standardised"`` or ``"elbo"``.

    Raises:
        ValueError: If an argument is not one of its valid choices.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        kl_weight: float,
        pixel_std: float,
        image_score: str,
    ) -> None:
        super().__init__(image_size, channels, latent_size, width, code_size=2 * latent_size)
        check_at_least(0, kl_weight=kl_weight)
        if pixel_std <= 0:
            msg = f"pixel_std must be positive, got {pixel_std}"
            raise ValueError(msg)
        self.kl_weight = kl_weight
        self.pixel_std = pixel_std
        self.image_score = check_image_score(image_score, IMAGE_SCORES)

    def posterior(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """q(z|x), what the encoder takes the latent vector of an image for.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Its mean μ and the logarithm of its variance log s², ``(B, latent_size)`` each.
        """
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """x̂ = G(μ), without a draw.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``(B, C, H, W)`` float32 in [-1, 1].
        """
        return self.decoder(self.posterior(images)[0]).float()

    def training_losses(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """The negative ELBO at one draw z = μ + s·ε, ε ~ N(0, I), with β, without the constant.

        Args:
            images: ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            ``loss`` = ``reconstruction_cost`` + β·``kl``; scalars, in nats per image, means over
            the batch.
        """
        mean, log_variance = self.posterior(images)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        cost = reconstruction_cost(images, self.decoder(z).float(), self.pixel_std)
        cost = cost.sum((1, 2)).mean()
        kl = kl_to_normal(mean, log_variance).mean()
        return {"loss": cost + self.kl_weight * kl, "reconstruction_cost": cost, "kl": kl}

    def score(self, images: torch.Tensor) -> ImageScores:
        """Score by −log p(x|z) at z = μ.

        Args:
            images: ``(B, 3, H, W)`` or ``(B, C, H, W)`` float in [-1, 1].

        Returns:
            Image scores; the anomaly map is :func:`reconstruction_cost`. The parts are its ``sum``,
            An & Cho's reconstruction probability, ``mean`` and ``local``, the ``kl``, and ``elbo``
            = ``sum`` + β·``kl``.

        Raises:
            ValueError: If a score is NaN or infinite, because a weight or an image is.
        """
        images = self.images_of(images)
        mean, log_variance = self.posterior(images)
        reconstruction = self.decoder(mean).float()
        anomaly_map = reconstruction_cost(images, reconstruction, self.pixel_std)
        parts = residual_scores(anomaly_map)
        parts["kl"] = kl_to_normal(mean, log_variance)
        parts["elbo"] = parts["sum"] + self.kl_weight * parts["kl"]
        return reconstruction_scores(
            parts, self.image_score, anomaly_map, images, reconstruction, self.standardised
        )
