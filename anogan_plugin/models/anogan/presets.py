# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The GANs that AnoGAN can be trained with, and how it scores: data, not code paths."""

import dataclasses
from typing import Any

from anogan_plugin.models.components.gan_settings import STABLE_GAN, GanSettings
from anogan_plugin.presets import with_overrides


@dataclasses.dataclass(frozen=True)
class ScoringSettings:
    """How AnoGAN scores.

    Args:
        search: How the latent space is searched, a name in
            :data:`~anogan_plugin.latent_search.settings.SEARCHES`.
        image_score: What is made of the residual.
    """

    search: str = "paper"
    image_score: str = "paper"


SCORINGS = {
    "default": ScoringSettings(),
    "inspection": ScoringSettings(search="refined", image_score="standardised"),
    "paper": ScoringSettings(),
}

PRESETS = {
    "default": STABLE_GAN,
    "inspection": STABLE_GAN,
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


def scoring_settings(preset: str, **overrides: Any) -> ScoringSettings:
    """Take a preset's way to score and replace what the user gave.

    Args:
        preset: Name in :data:`SCORINGS`.
        overrides: Fields of :class:`ScoringSettings`; None keeps the preset's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such preset.

    Example:
        >>> scoring_settings("inspection", search=None).search
        'refined'
    """
    return with_overrides("preset", SCORINGS, preset, overrides)
