# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The GANs that AnoGAN can be trained with: data, not code paths."""

import dataclasses
from typing import Any

from anogan_plugin.models.anogan.loss import ADVERSARIAL_LOSSES
from anogan_plugin.presets import with_overrides


@dataclasses.dataclass(frozen=True)
class GanSettings:
    """One way to train a DCGAN.

    Args:
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        adversarial_loss: ``"bce"`` or ``"hinge"``.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        r1_weight: γ of the R1 penalty γ/2·E‖∇D(x)‖² on D (Mescheder et al. 2018); 0 leaves it out.
        ema_decay: Decay of the moving average of G's weights that is searched; 0 searches G itself.
        learning_rate: Step size of Adam for G and for D.
        betas: Adam's decays of the first and the second moment, for both.

    Raises:
        ValueError: If a value is out of its range.
    """

    latent_size: int
    width: int
    adversarial_loss: str
    discriminator_norm: str
    r1_weight: float
    ema_decay: float
    learning_rate: float
    betas: tuple[float, float]

    def __post_init__(self) -> None:
        """Check the values."""
        if self.adversarial_loss not in ADVERSARIAL_LOSSES:
            msg = (
                f"adversarial_loss must be one of {tuple(ADVERSARIAL_LOSSES)}, "
                f"got {self.adversarial_loss!r}"
            )
            raise ValueError(msg)
        if self.latent_size < 1:
            msg = f"latent_size must be at least 1, got {self.latent_size}"
            raise ValueError(msg)
        if self.learning_rate <= 0:
            msg = f"learning_rate must be positive, got {self.learning_rate}"
            raise ValueError(msg)
        if self.r1_weight < 0:
            msg = f"r1_weight must be at least 0, got {self.r1_weight}"
            raise ValueError(msg)
        if not 0 <= self.ema_decay < 1:
            msg = f"ema_decay must be in [0, 1), got {self.ema_decay}"
            raise ValueError(msg)


PRESETS = {
    "default": GanSettings(
        latent_size=128,
        width=32,
        adversarial_loss="bce",
        discriminator_norm="none",
        r1_weight=0.1,
        ema_decay=0.999,
        learning_rate=5e-4,  # at 1e-3 one run in three diverged
        betas=(0.0, 0.99),
    ),
    # Radford et al. 2015, as Schlegl et al. and Nakaoka & Kimoto use it.
    "paper": GanSettings(
        latent_size=100,
        width=64,
        adversarial_loss="bce",
        discriminator_norm="batch",
        r1_weight=0.0,
        ema_decay=0.0,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
    ),
}


def gan_settings(preset: str, **overrides: Any) -> GanSettings:
    """Take a preset and replace what the user gave.

    Args:
        preset: Name in :data:`PRESETS`.
        overrides: Fields of :class:`GanSettings`; None keeps the preset's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such preset, or a value is out of its range.

    Example:
        >>> gan_settings("paper", width=8, latent_size=None).latent_size
        100
    """
    return with_overrides("preset", PRESETS, preset, overrides)
