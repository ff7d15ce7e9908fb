# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN as an anomalib model.

Paper:
    Schlegl, Seeböck, Waldstein, Langs, Schmidt-Erfurth: f-AnoGAN: Fast unsupervised anomaly
    detection with generative adversarial networks. Medical Image Analysis 54, 2019.
    https://doi.org/10.1016/j.media.2019.01.010
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer
from lightning.pytorch.utilities import rank_zero_warn
from torch import nn

from anogan_plugin.latent_search import SearchSettings, search_settings
from anogan_plugin.models.components.dcgan_training import DcganTraining
from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.network_training import NetworkTraining
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.search_scoring import SearchScoring
from anogan_plugin.models.f_anogan.gan_checkpoint import load_gan
from anogan_plugin.models.f_anogan.presets import encoder_settings, gan_settings
from anogan_plugin.models.f_anogan.torch_model import FAnoGANModel

_ENCODER_REMEDY = "try a lower encoder_learning_rate, or a better GAN: look at the samples"


class FAnoGAN(SearchScoring, DcganTraining, AnomalibModule):
    """Learns a GAN on good images, then an encoder that finds an image's latent vector at once.

    Training has two stages. The last ``encoder_epochs`` epochs train the encoder E on the GAN's
    best epoch, with G and D frozen, to minimise the ``izi_f`` loss; with ``gan_checkpoint`` all of
    them do. That loss is the score as well,

        A(x) = ‖x − G(E(x))‖² / n + κ·‖f(x) − f(G(E(x)))‖² / n_d,

    raw: higher is more anomalous, without a fixed range. A threshold is set on held-out good
    images when training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data
    module; the pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: How the GAN and the encoder are trained: ``default``, with AnoGAN's default GAN, or
            ``paper``, the Wasserstein GAN and the RMSprop of Schlegl et al. 2019.
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector; None takes the preset's.
        width: Channels of the layer next to the image, in G, D and E; None takes the preset's.
        adversarial_loss: ``bce``, ``hinge`` or ``wasserstein``; None takes the preset's.
        discriminator_norm: ``batch``, ``spectral`` or ``none``; None takes the preset's.
        r1_weight: Weight of the R1 gradient penalty on D, 0 for none; None takes the preset's.
        ema_decay: Decay of the moving average of G that the encoder is trained on; None takes the
            preset's.
        learning_rate: Step size of Adam in training, for G and D; None takes the preset's.
        gan_checkpoint: Path of a checkpoint of AnoGAN or FAnoGAN with the same networks, whose G
            and D are taken: the whole run trains the encoder. None trains a GAN first.
        encoder_epochs: Epochs at the end of the run that train the encoder, at least 1; at most
            half of the run's are taken. A GAN that is lost earlier leaves it more.
        encoder_learning_rate: Step size in training of the encoder; None takes the preset's.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights are float32.
        discrimination_weight: κ, at least 0, the weight of the features in loss and score.
        search_steps: Gradient steps of AnoGAN's latent search that refine E(x) before an image is
            scored, at least 0; 0 is f-AnoGAN as published.
        search_precision: As ``training_precision``, for the search; scores are float32.
        image_score: ``paper`` for A(x), ``local`` for the largest local mean of the residual
            |x − G(E(x))|, or ``standardised`` for its most unusual spot.
        overkill: Share of good images that the threshold may reject, in (0, 1).
        pre_processor: anomalib pre-processor; True resizes to ``image_size`` and scales to [-1, 1].
        post_processor: anomalib post-processor; True leaves scores raw and sets the threshold on
            held-out good images.
        evaluator: anomalib evaluator; True computes AUROC and F1 of images and pixels.
        visualizer: anomalib visualizer; True saves image, reconstruction, difference and heat map.

    Raises:
        ValueError: If an argument is not one of its valid choices.

    Example:
        >>> model = FAnoGAN(image_size=32, width=4)
        >>> model(torch.rand(2, 3, 32, 32)).pred_score.shape
        torch.Size([2])
    """

    def __init__(
        self,
        preset: Literal["default", "paper"] = "default",
        image_size: int = 64,
        channels: int = 1,
        latent_size: int | None = None,
        width: int | None = None,
        adversarial_loss: Literal["bce", "hinge", "wasserstein"] | None = None,
        discriminator_norm: Literal["batch", "spectral", "none"] | None = None,
        r1_weight: float | None = None,
        ema_decay: float | None = None,
        learning_rate: float | None = None,
        gan_checkpoint: str | None = None,
        encoder_epochs: int = 10,
        encoder_learning_rate: float | None = None,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        discrimination_weight: float = 1.0,
        search_steps: int = 0,
        search_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal["paper", "local", "standardised"] = "paper",
        overkill: float = 0.01,
        pre_processor: PreProcessor | bool = True,
        post_processor: PostProcessor | bool = True,
        evaluator: Evaluator | bool = True,
        visualizer: Visualizer | bool = True,
    ) -> None:
        if pre_processor is True:
            pre_processor = self.configure_pre_processor((image_size, image_size), channels)
        if post_processor is True:
            post_processor = HeldOutGoodPostProcessor(overkill)
        super().__init__(pre_processor, post_processor, evaluator, visualizer)
        check_at_least(1, encoder_epochs=encoder_epochs)
        settings = gan_settings(
            preset,
            latent_size=latent_size,
            width=width,
            adversarial_loss=adversarial_loss,
            discriminator_norm=discriminator_norm,
            r1_weight=r1_weight,
            ema_decay=ema_decay,
            learning_rate=learning_rate,
        )
        self.encoder_settings = encoder_settings(preset, learning_rate=encoder_learning_rate)
        self.model: FAnoGANModel = FAnoGANModel(
            image_size,
            channels,
            settings.latent_size,
            settings.width,
            settings.discriminator_norm,
            discrimination_weight,
            _refinement(search_steps, search_precision),
            image_score,
        )
        self.gan_checkpoint = gan_checkpoint
        self.encoder_epochs = encoder_epochs
        self.encoding = False
        self.set_up_gan(settings, training_precision)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D and for G, and the encoder's optimizer.

        Returns:
            The optimizers of D, G and E, in both stages.
        """
        weights, rate = self.model.encoder.parameters(), self.encoder_settings.learning_rate
        if self.encoder_settings.optimizer == "adam":
            return [*self.gan_optimizers(), torch.optim.Adam(weights, rate, fused=True)]
        return [*self.gan_optimizers(), torch.optim.RMSprop(weights, rate)]

    def on_fit_start(self) -> None:
        """Begin with the GAN, or with the encoder where a trained GAN is given.

        Raises:
            ValueError: If there are too few epochs for two stages.
        """
        if self.trainer.ckpt_path is None:  # else the checkpoint says which stage it is in
            self.updates = 0
            if self.gan_checkpoint is not None:
                load_gan(self.gan_checkpoint, self.model)
            self._set_stage(encoding=self.gan_checkpoint is not None)
        if not self.encoding and self.trainer.max_epochs < 2:
            msg = (
                "FAnoGAN trains a GAN and then an encoder: expected max_epochs of at least 2, got "
                f"{self.trainer.max_epochs}; give trainer.max_epochs, or a trained GAN as "
                "gan_checkpoint"
            )
            raise ValueError(msg)

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update D, then G, then G's moving average; in the second stage update E alone.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The losses of D and of G, or of E.
        """
        del batch_idx
        images = self.images_of(batch)
        losses = self.train_encoder(images) if self.encoding else self.train_gan(images)
        return self.end_update(losses, len(images))

    def train_encoder(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Update E; G and D stay as they are.

        Args:
            images: ``(B, C, H, W)`` good images in [-1, 1].

        Returns:
            The loss.
        """
        with self.autocast(images.device):
            loss = self.model.encoder_loss(images)
        return {"encoder_loss": self.descend(2, loss)}

    def moving_averages(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """G's, while the GAN is trained.

        Yields:
            The generator that is scored with, and the one in training.
        """
        if not self.encoding:
            yield from super().moving_averages()

    def stage_is_over(self) -> bool:
        """Whether the GAN has had its epochs.

        Returns:
            True at the first epoch that is the encoder's, while the GAN is trained.
        """
        epochs = self.trainer.max_epochs
        first = epochs - min(self.encoder_epochs, epochs // 2)
        return not self.encoding and self.trainer.current_epoch >= first

    def next_stage(self) -> bool:
        """Go on to the encoder.

        Returns:
            Whether it is the encoder's turn, False if that was the current stage.
        """
        if self.encoding:
            return False
        self.updates = 0
        self._set_stage(encoding=True)
        return True

    def on_train_end(self) -> None:
        """Say so where the training was ended before the encoder's turn."""
        if not self.encoding:
            rank_zero_warn(
                "training ended before the encoder was trained, so scores mean nothing yet: give "
                "the checkpoint as gan_checkpoint to train the encoder"
            )

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """What G makes of noise; in the second stage, what it makes of the images' codes.

        Args:
            images: ``(B, C, H, W)`` real images.

        Returns:
            ``(B, C, H, W)`` generated images, or reconstructions.
        """
        return self.model.reconstruct(images) if self.encoding else super().samples(images)

    def held_out_residual(self, images: torch.Tensor) -> float:
        """How well good images that were never seen are covered by G; then, by G and E.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].

        Returns:
            Mean |x − G(z)| per pixel, in grey levels of [-1, 1]: after a short search in the first
            stage, at z = E(x) in the second.
        """
        if not self.encoding:
            return super().held_out_residual(images)
        return float((images - self.model.reconstruct(images)).abs().mean())

    def calibrate(self, images: torch.Tensor) -> None:
        """Set the thresholds, unless the encoder was never trained.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].
        """
        if self.encoding:
            super().calibrate(images)

    def learn_from_good(self, images: torch.Tensor) -> None:
        """Learn what good images leave over, unless the encoder was never trained.

        Args:
            images: ``(N, C, H, W)`` good images in [-1, 1].
        """
        if self.encoding:
            super().learn_from_good(images)

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            κ, settings of the search, and which image score.
        """
        search = dataclasses.asdict(self.model.search)
        del search["precision"]  # hardly changes a score
        weight = self.model.discrimination_weight
        return {
            "search": search,
            "discrimination_weight": weight,
            "image_score": self.model.image_score,
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save which stage the training is in.

        Args:
            checkpoint: What will be written.
        """
        super().on_save_checkpoint(checkpoint)
        checkpoint["encoding"] = self.encoding

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it.

        Args:
            checkpoint: What was read.
        """
        super().on_load_checkpoint(checkpoint)
        self._set_stage(checkpoint["encoding"])

    def _set_stage(self, encoding: bool) -> None:
        self.encoding = encoding
        self.remedy = _ENCODER_REMEDY if encoding else NetworkTraining.remedy


def _refinement(steps: int, precision: str) -> SearchSettings:
    # Half the fast search's step size: E(x) is near already, and larger first steps lead away.
    return search_settings("fast", steps=steps, learning_rate=0.05, precision=precision)
