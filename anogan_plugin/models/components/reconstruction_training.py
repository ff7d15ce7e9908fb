# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Training by reconstruction, for every autoencoder."""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from anomalib.data import ImageBatch

from anogan_plugin.models.components.gan_settings import check_at_least, check_learning
from anogan_plugin.models.components.image_scores import residual_map
from anogan_plugin.models.components.network_training import NetworkTraining


@dataclasses.dataclass(frozen=True)
class ReconstructionSettings:
    """One way to train an autoencoder.

    Args:
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in the encoder and in the decoder.
        learning_rate: Step size of Adam.
        weight_decay: Weight of ‖weights‖²/2 in what Adam lowers; 0 leaves it out.

    Raises:
        ValueError: If a value is out of its range.
    """

    latent_size: int
    width: int
    learning_rate: float
    weight_decay: float

    def __post_init__(self) -> None:
        """Check the values."""
        check_at_least(1, latent_size=self.latent_size, width=self.width)
        check_at_least(0, weight_decay=self.weight_decay)
        check_learning(self.learning_rate)


class ReconstructionTraining(NetworkTraining):
    """Trains ``self.model``, an :class:`Autoencoder`, to give its images back.

    A model calls :meth:`set_up_reconstruction` when its networks are built.
    """

    if TYPE_CHECKING:
        model: Any
        images_of: Any

    def set_up_reconstruction(self, settings: ReconstructionSettings, precision: str) -> None:
        """Keep how the autoencoder is trained.

        Args:
            settings: One of the model's presets.
            precision: As :meth:`NetworkTraining.set_up_training` has it.
        """
        self.set_up_training(precision)
        self.settings = settings

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for encoder and decoder together.

        Returns:
            The one optimizer.
        """
        return [
            torch.optim.Adam(
                self.model.parameters(),
                self.settings.learning_rate,
                weight_decay=self.settings.weight_decay,
                fused=True,
            )
        ]

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update encoder and decoder.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The loss and its terms.
        """
        del batch_idx
        images = self.images_of(batch)
        with self.autocast(images.device):
            losses = self.model.training_losses(images)
        self.descend(0, losses["loss"])
        return self.end_update({name: x.detach() for name, x in losses.items()}, len(images))

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """What becomes of images: where they all become one, the latent vectors say nothing.

        Args:
            images: ``(B, C, H, W)`` real images in [-1, 1].

        Returns:
            ``(B, C, H, W)`` their reconstructions.
        """
        return self.model.reconstruct(images)

    def held_out_residual(self, images: torch.Tensor) -> float:
        """How well good images are reconstructed that were never trained on.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].

        Returns:
            Mean |x − x̂| per pixel, in grey levels of [-1, 1], whatever the loss is.
        """
        with torch.no_grad():
            return float(residual_map(images, self.model.reconstruct(images)).mean())
