# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The BiGANs that EfficientGAN can be trained with: data, not code paths."""

from anogan_plugin.models.components.bidirectional_gan import BidirectionalSettings

PRESETS = {
    "default": BidirectionalSettings(
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
    ),
    # Zenati et al. 2018, as their code trains it on MNIST, in batches of 100.
    "paper": BidirectionalSettings(
        latent_size=200,
        width=64,
        discriminator_norm="batch",
        normalised_codes=False,
        leak=0.1,
        dropout=0.5,
        r1_weight=0.0,
        reconstruction_weight=0.0,
        ema_decay=0.999,
        learning_rate=1e-5,
        betas=(0.5, 0.999),
    ),
}
