# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN as an anomalib model.

Papers:
    Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide
    Marker Discovery. IPMI 2017. https://arxiv.org/abs/1703.05921

    Nakaoka, Kimoto: Detection of defective products of IC external appearance image using AnoGAN.
"""

import contextlib
import copy
import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer
from lightning.pytorch import Callback
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn

from anogan_plugin.latent_search import search_settings
from anogan_plugin.latent_search.precision import PRECISIONS, dtype_of
from anogan_plugin.models.anogan.loss import ADVERSARIAL_LOSSES, discriminator_loss
from anogan_plugin.models.anogan.presets import gan_settings
from anogan_plugin.models.anogan.torch_model import AnoGANModel
from anogan_plugin.models.components.ema import update_average
from anogan_plugin.models.components.gan_watch import GanWatch
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor

_REMEDY = "try another seed, a lower learning_rate or more training images"
_R1_INTERVAL = 8  # the penalty every eighth step with eight times its weight (Karras et al. 2020)


class AnoGAN(ImageScoring, AnomalibModule):
    """Learns a GAN on good images and scores an image by what the GAN cannot make of it.

    For a test image x the latent space is searched for z_Γ, whose image G(z_Γ) is nearest to x.
    The score is what is left,

        A(x) = (1 − λ)·Σ|x − G(z_Γ)| + λ·Σ|f(x) − f(G(z_Γ))|,

    raw: higher is more anomalous, without a fixed range. A threshold is set on held-out good
    images when training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data
    module; the pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: How the GAN is trained: ``default``, for better coverage of good parts, or
            ``paper``, the vanilla DCGAN of Radford et al. 2015.
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector; None takes the preset's.
        width: Channels of the layer next to the image, in G and in D; None takes the preset's.
        adversarial_loss: ``bce`` or ``hinge``; None takes the preset's.
        discriminator_norm: ``batch``, ``spectral`` or ``none``; None takes the preset's.
        r1_weight: Weight of the R1 gradient penalty on D, 0 for none; None takes the preset's.
        ema_decay: Decay of the moving average of G that is searched; None takes the preset's.
        learning_rate: Step size of Adam in training, for G and D; None takes the preset's.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights are float32.
        search: How the latent space is searched: ``paper``, Γ steps of Adam from one start for all
            images, or ``fast``, few steps from a guess for each image.
        search_steps: Most gradient steps of the search per image, the paper's Γ; None takes the
            search's.
        search_learning_rate: Step size of Adam in the search; None takes the search's.
        search_stop_tolerance: An image stops early once its loss has fallen by less than this share
            over 500 steps, for a Γ of many thousands; None takes the search's, 0 never stops.
        discrimination_weight: λ in [0, 1], the weight of the discrimination loss.
        search_seed: Seed of the latent vector that every search starts from, or of the images that
            the guess is fitted to.
        search_precision: As ``training_precision``, for the search; scores are float32.
        image_score: ``paper`` for A(x), or ``local`` for the largest local mean of the residual
            |x − G(z_Γ)|, which finds small defects better.
        overkill: Share of good images that the threshold may reject, in (0, 1).
        pre_processor: anomalib pre-processor; True resizes to ``image_size`` and scales to [-1, 1].
        post_processor: anomalib post-processor; True leaves scores raw and sets the threshold on
            held-out good images.
        evaluator: anomalib evaluator; True computes AUROC and F1 of images and pixels.
        visualizer: anomalib visualizer; True saves image, reconstruction, difference and heat map.

    Raises:
        ValueError: If an argument is not one of its valid choices.

    Example:
        >>> model = AnoGAN(image_size=32, width=4, search_steps=1)
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
        adversarial_loss: Literal["bce", "hinge"] | None = None,
        discriminator_norm: Literal["batch", "spectral", "none"] | None = None,
        r1_weight: float | None = None,
        ema_decay: float | None = None,
        learning_rate: float | None = None,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        search: Literal["paper", "fast"] = "paper",
        search_steps: int | None = None,
        search_learning_rate: float | None = None,
        search_stop_tolerance: float | None = None,
        discrimination_weight: float = 0.1,
        search_seed: int = 0,
        search_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal["paper", "local"] = "paper",
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
        self.settings = gan_settings(
            preset,
            latent_size=latent_size,
            width=width,
            adversarial_loss=adversarial_loss,
            discriminator_norm=discriminator_norm,
            r1_weight=r1_weight,
            ema_decay=ema_decay,
            learning_rate=learning_rate,
        )
        self.model: AnoGANModel = AnoGANModel(
            image_size,
            channels,
            self.settings.latent_size,
            self.settings.width,
            self.settings.discriminator_norm,
            search_settings(
                search,
                steps=search_steps,
                learning_rate=search_learning_rate,
                stop_tolerance=search_stop_tolerance,
                discrimination_weight=discrimination_weight,
                seed=search_seed,
                precision=search_precision,
            ),
            image_score,
        )
        # The optimizer moves this one; self.model.generator is its moving average.
        self.trained_generator = copy.deepcopy(self.model.generator)
        self.model.generator.requires_grad_(False)
        if training_precision not in PRECISIONS:
            msg = f"training_precision must be one of {PRECISIONS}, got {training_precision!r}"
            raise ValueError(msg)
        self.training_precision = training_precision
        self.adversarial_loss = ADVERSARIAL_LOSSES[self.settings.adversarial_loss]
        self.remedy = _REMEDY
        self.generator_updates = 0
        self.automatic_optimization = False

    @property
    def latent_size(self) -> int:
        """Length of a latent vector."""
        return self.settings.latent_size

    @property
    def searched_generator(self) -> nn.Module:
        """The generator whose latent space is searched."""
        return self.model.generator

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D and for G.

        Returns:
            The optimizers of D and of G.
        """
        networks = (self.model.discriminator, self.trained_generator)
        rate, betas = self.settings.learning_rate, self.settings.betas
        return [
            torch.optim.Adam(network.parameters(), rate, betas, fused=True) for network in networks
        ]

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update D, then G, then G's moving average.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The losses of D and of G.
        """
        del batch_idx
        images = self.images_of(batch)
        latent = torch.randn(len(images), self.latent_size, device=images.device)
        with self._autocast(images.device):
            fake = self.trained_generator(latent)
        loss_of_d, accuracy = self._update_discriminator(images, fake.detach())
        loss_of_g = self._update_generator(fake)
        losses = {"discriminator_loss": loss_of_d, "generator_loss": loss_of_g}
        update_average(
            self.model.generator,
            self.trained_generator,
            self.settings.ema_decay,
            self.generator_updates,
        )
        self.generator_updates += 1
        self.log_dict(
            {**losses, "discriminator_accuracy": accuracy},
            on_step=False,
            on_epoch=True,
            prog_bar=True,
            batch_size=len(images),
        )
        return losses

    def _autocast(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        dtype = dtype_of(self.training_precision, device)
        if dtype == torch.float32:  # the trainer's own precision may be another: leave it
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype)

    def _update_discriminator(
        self,
        images: torch.Tensor,
        fake: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        discriminator, optimizer = self.model.discriminator, self._optimizers()[0]
        discriminator.requires_grad_(True)
        due = self.generator_updates % _R1_INTERVAL == 0
        r1_weight = _R1_INTERVAL * self.settings.r1_weight if due else 0.0
        with self._autocast(images.device):
            loss, accuracy = discriminator_loss(
                discriminator, images, fake, self.adversarial_loss, r1_weight
            )
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach(), accuracy

    def _update_generator(self, fake: torch.Tensor) -> torch.Tensor:
        discriminator, optimizer = self.model.discriminator, self._optimizers()[1]
        discriminator.requires_grad_(False)
        with self._autocast(fake.device):
            loss = self.adversarial_loss.generator(discriminator(fake))
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach()

    def _optimizers(self) -> list[LightningOptimizer]:
        return cast(list[LightningOptimizer], self.optimizers())

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Settings of the search, and which image score.
        """
        search = dataclasses.asdict(self.model.search)
        del search["precision"]  # hardly changes a score
        return {**search, "image_score": self.model.image_score}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save how far the moving average and the R1 schedule are.

        Args:
            checkpoint: What will be written.
        """
        super().on_save_checkpoint(checkpoint)
        checkpoint["generator_updates"] = self.generator_updates

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it.

        Args:
            checkpoint: What was read.
        """
        super().on_load_checkpoint(checkpoint)
        self.generator_updates = checkpoint["generator_updates"]

    def configure_callbacks(self) -> Sequence[Callback]:
        """Those of every model that scores images, and one that watches the training.

        Returns:
            The callbacks.
        """
        return [*super().configure_callbacks(), GanWatch()]

    @property
    def trainer_arguments(self) -> dict[str, Any]:
        """Trainer arguments that manual optimization needs; the number of epochs is the user's.

        Returns:
            Arguments for Lightning's trainer.
        """
        return {"gradient_clip_val": 0, "num_sanity_val_steps": 0}
