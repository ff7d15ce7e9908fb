# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The autoencoders that ConvAutoencoder can be: data, not code paths."""

import dataclasses
from typing import Any

from anogan_plugin.models.components.reconstruction_training import ReconstructionSettings
from anogan_plugin.models.conv_autoencoder.loss import check_loss
from anogan_plugin.presets import with_overrides


@dataclasses.dataclass(frozen=True)
class ConvAutoencoderSettings(ReconstructionSettings):
    """One way to train a ConvAutoencoder; further arguments as its base has them.

    Args:
        loss: ``"l2"``, ``"l1"`` or ``"ssim"``.

    Raises:
        ValueError: If a value is out of its range.
    """

    loss: str

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        check_loss(self.loss)


PRESETS = {
    "default": ConvAutoencoderSettings(
        latent_size=128,
        width=32,
        learning_rate=1e-3,
        weight_decay=0.0,
        loss="l2",
    ),
    # Bergmann et al. 2018, as re-implementations have it: what does not depend on their layers.
    "paper": ConvAutoencoderSettings(
        latent_size=100,
        width=32,
        learning_rate=2e-4,
        weight_decay=1e-5,
        loss="ssim",
    ),
}


def autoencoder_settings(preset: str, **overrides: Any) -> ConvAutoencoderSettings:
    """Take a preset and replace what the user gave.

    Args:
        preset: Name in :data:`PRESETS`.
        overrides: Fields of :class:`ConvAutoencoderSettings`; None keeps the preset's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such preset, or a value is out of its range.

    Example:
        >>> autoencoder_settings("paper", loss="l2", width=None).latent_size
        100
    """
    return with_overrides("preset", PRESETS, preset, overrides)
