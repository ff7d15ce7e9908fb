# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The networks that ALAD can be trained with: data, not code paths."""

import dataclasses

from anogan_plugin.models.components.bidirectional_gan import BidirectionalSettings


@dataclasses.dataclass(frozen=True)
class ALADSettings(BidirectionalSettings):
    """One way to train ALAD.

    Args:
        spectral_norm: Whether E's and the discriminators' weights are divided by their spectral
            norm, except in each network's last layer.
    """

    spectral_norm: bool


PRESETS = {
    "default": ALADSettings(
        latent_size=128,
        width=32,
        discriminator_norm="none",
        normalised_codes=True,
        leak=0.2,
        dropout=0.0,
        r1_weight=0.1,
        reconstruction_weight=10.0,
        ema_decay=0.999,
        learning_rate=5e-4,
        betas=(0.0, 0.99),
        spectral_norm=False,
    ),
    # Zenati et al. 2018b, as their code trains it on CIFAR-10 and SVHN, in batches of 32.
    "paper": ALADSettings(
        latent_size=100,
        width=64,
        discriminator_norm="batch",
        normalised_codes=False,
        leak=0.2,
        dropout=0.2,
        r1_weight=0.0,
        reconstruction_weight=0.0,
        ema_decay=0.999,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        spectral_norm=True,
    ),
}
