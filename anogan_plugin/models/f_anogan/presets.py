# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The GANs and the encoders that f-AnoGAN can be trained with: data, not code paths."""

import dataclasses
from typing import Any

from anogan_plugin.models.components.gan_settings import STABLE_GAN, GanSettings, check_learning
from anogan_plugin.presets import with_overrides

OPTIMIZERS = ("adam", "rmsprop")


@dataclasses.dataclass(frozen=True)
class EncoderSettings:
    """One way to train the encoder.

    Args:
        optimizer: ``"adam"`` or ``"rmsprop"``.
        learning_rate: Its step size.

    Raises:
        ValueError: If the step size is not positive.
    """

    optimizer: str
    learning_rate: float

    def __post_init__(self) -> None:
        """Check the step size."""
        try:
            check_learning(self.learning_rate)
        except ValueError as error:
            msg = f"encoder_{error}"
            raise ValueError(msg) from None


GANS = {
    "default": STABLE_GAN,
    # Gulrajani et al. 2017 with the numbers of Schlegl et al. 2019.
    "paper": GanSettings(
        latent_size=128,
        width=64,
        adversarial_loss="wasserstein",
        discriminator_norm="none",  # the penalty is on D's slope at one image, not at a batch
        r1_weight=0.0,
        ema_decay=0.0,
        learning_rate=1e-4,
        betas=(0.0, 0.9),
        slope_weight=10.0,
        critic_steps=5,
    ),
}

ENCODERS = {
    "default": EncoderSettings(optimizer="adam", learning_rate=5e-4),
    "paper": EncoderSettings(optimizer="rmsprop", learning_rate=5e-5),
}


def gan_settings(preset: str, **overrides: Any) -> GanSettings:
    """Take a preset's GAN and replace what the user gave.

    Args:
        preset: Name in :data:`GANS`.
        overrides: Fields of :class:`GanSettings`; None keeps the preset's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such preset, or a value is out of its range.

    Example:
        >>> gan_settings("paper", width=8, latent_size=None).critic_steps
        5
    """
    return with_overrides("preset", GANS, preset, overrides)


def encoder_settings(preset: str, **overrides: Any) -> EncoderSettings:
    """Take a preset's encoder and replace what the user gave.

    Args:
        preset: Name in :data:`ENCODERS`.
        overrides: Fields of :class:`EncoderSettings`; None keeps the preset's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such preset, or a value is out of its range.

    Example:
        >>> encoder_settings("paper").optimizer
        'rmsprop'
    """
    return with_overrides("preset", ENCODERS, preset, overrides)
