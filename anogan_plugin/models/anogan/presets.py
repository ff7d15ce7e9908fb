# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The GANs that AnoGAN can be trained with: data, not code paths."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class GanSettings:
    """One way to train a DCGAN.

    Args:
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        adversarial_loss: ``"bce"`` or ``"hinge"``.
        spectral_norm: Spectral norm instead of BatchNorm in D.
        ema_decay: Decay of the moving average of G's weights that is searched; 0 searches G itself.
        learning_rate: Step size of Adam for G and for D.
        beta1: First-moment decay of both; the second is 0.999.
    """

    latent_size: int
    width: int
    adversarial_loss: str
    spectral_norm: bool
    ema_decay: float
    learning_rate: float
    beta1: float


PRESETS = {
    "default": GanSettings(
        latent_size=128,
        width=32,
        adversarial_loss="hinge",
        spectral_norm=True,
        ema_decay=0.999,
        learning_rate=2e-4,
        beta1=0.5,
    ),
    # Radford et al. 2015, as Schlegl et al. and Nakaoka & Kimoto use it.
    "paper": GanSettings(
        latent_size=100,
        width=64,
        adversarial_loss="bce",
        spectral_norm=False,
        ema_decay=0.0,
        learning_rate=2e-4,
        beta1=0.5,
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
        ValueError: If there is no such preset.

    Example:
        >>> gan_settings("paper", width=8, latent_size=None).latent_size
        100
    """
    if preset not in PRESETS:
        msg = f"preset must be one of {tuple(PRESETS)}, got {preset!r}"
        raise ValueError(msg)
    given = {name: value for name, value in overrides.items() if value is not None}
    return dataclasses.replace(PRESETS[preset], **given)
