# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The ways to train a DCGAN: data, not code paths."""

import dataclasses

from anogan_plugin.models.components.adversarial_loss import ADVERSARIAL_LOSSES


@dataclasses.dataclass(frozen=True)
class GanSettings:
    """One way to train a DCGAN.

    Args:
        latent_size: Length of a latent vector.
        width: Channels of the layer next to the image, in G and in D.
        adversarial_loss: ``"bce"``, ``"hinge"`` or ``"wasserstein"``.
        discriminator_norm: ``"batch"``, ``"spectral"`` or ``"none"``.
        r1_weight: γ of the R1 penalty γ/2·E‖∇D(x)‖² on D (Mescheder et al. 2018); 0 leaves it out.
        ema_decay: Decay of the moving average of G's weights that is searched; 0 searches G itself.
        learning_rate: Step size of Adam for G and for D.
        betas: Adam's decays of the first and the second moment, for both.
        slope_weight: λ of WGAN-GP's gradient penalty (Gulrajani et al. 2017); 0 leaves it out.
        critic_steps: Updates of D for one of G.

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
    slope_weight: float = 0.0
    critic_steps: int = 1

    def __post_init__(self) -> None:
        """Check the values."""
        if self.adversarial_loss not in ADVERSARIAL_LOSSES:
            msg = (
                f"adversarial_loss must be one of {tuple(ADVERSARIAL_LOSSES)}, "
                f"got {self.adversarial_loss!r}"
            )
            raise ValueError(msg)
        check_at_least(1, latent_size=self.latent_size, critic_steps=self.critic_steps)
        check_at_least(0, r1_weight=self.r1_weight, slope_weight=self.slope_weight)
        check_learning(self.learning_rate, self.ema_decay)
        if self.adversarial_loss == "wasserstein" and self.slope_weight == 0:
            msg = (
                "adversarial_loss wasserstein needs a penalty on D's slope: expected slope_weight "
                "above 0, got 0; take a preset that has one, as FAnoGAN's paper"
            )
            raise ValueError(msg)
        if self.discriminator_norm == "batch" and self.slope_weight > 0:
            msg = (
                "discriminator_norm must be none or spectral where D's slope at each image is "
                "penalised, got 'batch'"
            )
            raise ValueError(msg)


def check_at_least(least: int, **values: float) -> None:
    """Refuse values below a bound.

    Args:
        least: The bound.
        values: Values by the name of their argument.

    Raises:
        ValueError: If one is below the bound; names it.
    """
    for name, value in values.items():
        if value < least:
            msg = f"{name} must be at least {least}, got {value}"
            raise ValueError(msg)


def check_learning(learning_rate: float, ema_decay: float = 0.0) -> None:
    """Refuse a step size or a decay that cannot train.

    Args:
        learning_rate: Step size.
        ema_decay: Decay of a moving average.

    Raises:
        ValueError: If the step size is not positive, or the decay not in [0, 1).
    """
    if learning_rate <= 0:
        msg = f"learning_rate must be positive, got {learning_rate}"
        raise ValueError(msg)
    if not 0 <= ema_decay < 1:
        msg = f"ema_decay must be in [0, 1), got {ema_decay}"
        raise ValueError(msg)


STABLE_GAN = GanSettings(
    latent_size=128,
    width=32,
    adversarial_loss="bce",
    discriminator_norm="none",
    r1_weight=0.1,
    ema_decay=0.999,
    learning_rate=5e-4,  # at 1e-3 one run in three diverged
    betas=(0.0, 0.99),
)
"""The default of every model that has a DCGAN: covers good parts better than the papers'."""
