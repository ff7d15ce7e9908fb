# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN as an anomalib model.

Papers:
    Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide
    Marker Discovery. IPMI 2017. https://arxiv.org/abs/1703.05921

    Nakaoka, Kimoto: Detection of defective products of IC external appearance image using AnoGAN.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.latent_search import search_settings
from anogan_plugin.models.anogan.presets import gan_settings, scoring_settings
from anogan_plugin.models.anogan.torch_model import AnoGANModel
from anogan_plugin.models.components.dcgan_training import DcganTraining
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.progress import search_progress
from anogan_plugin.models.components.search_scoring import SearchScoring


class AnoGAN(SearchScoring, DcganTraining, AnomalibModule):
    """Learns a GAN on good images and scores an image by what the GAN cannot make of it.

    For a test image x the latent space is searched for z_Γ, whose image G(z_Γ) is nearest to x.
    The score is what is left,

        A(x) = (1 − λ)·Σ|x − G(z_Γ)| + λ·Σ|f(x) − f(G(z_Γ))|,

    raw: higher is more anomalous, without a fixed range. A threshold is set on held-out good
    images when training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data
    module; the pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: ``default``, a GAN that covers good parts better, scored as in the paper;
            ``inspection``, the same GAN with search ``refined`` and image_score ``standardised``,
            which finds far more; or ``paper``, the vanilla DCGAN of Radford et al. 2015.
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
            images; ``fast``, few steps from a guess for each image; ``refined``, which goes on
            for a few steps in G's first feature map; or ``averaged``, two searches from two
            guesses, whose mean z ``image_score`` ``distance`` measures. None takes the preset's.
        search_steps: Most gradient steps of the search per image, the paper's Γ, and of each search
            of ``averaged``; None takes the search's.
        search_learning_rate: Step size of Adam in the search; None takes the search's.
        search_stop_tolerance: An image stops early once its loss has fallen by less than this share
            over 500 steps, for a Γ of many thousands; None takes the search's, 0 never stops.
        discrimination_weight: λ in [0, 1], the weight of the discrimination loss.
        search_seed: Seed of the latent vector that every search starts from, or of the images that
            the guess is fitted to.
        search_precision: As ``training_precision``, for the search; scores are float32.
        image_score: ``paper`` for A(x), ``local`` for the largest local mean of the residual
            |x − G(z_Γ)|, ``standardised`` for the spot that is most unusual against held-out and
            trained-on good images, which needs search ``refined``, or ``distance`` for how far
            from theirs z_Γ is, for searches that start from a guess. None takes the preset's.
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
        preset: Literal["default", "inspection", "paper"] = "default",
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
        search: Literal["paper", "fast", "refined", "averaged"] | None = None,
        search_steps: int | None = None,
        search_learning_rate: float | None = None,
        search_stop_tolerance: float | None = None,
        discrimination_weight: float = 0.1,
        search_seed: int = 0,
        search_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal["paper", "local", "standardised", "distance"] | None = None,
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
        scoring = scoring_settings(preset, search=search, image_score=image_score)
        self.model: AnoGANModel = AnoGANModel(
            image_size,
            channels,
            settings.latent_size,
            settings.width,
            settings.discriminator_norm,
            search_settings(
                scoring.search,
                steps=search_steps,
                learning_rate=search_learning_rate,
                stop_tolerance=search_stop_tolerance,
                discrimination_weight=discrimination_weight,
                seed=search_seed,
                precision=search_precision,
            ),
            scoring.image_score,
        )
        self.set_up_gan(settings, training_precision)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D and for G.

        Returns:
            The optimizers of D and of G.
        """
        return self.gan_optimizers()

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
        return self.end_update(self.train_gan(images), len(images))

    def learn_from_good(self, images: torch.Tensor) -> None:
        """Learn what good images leave over, where search and score are meant for it.

        Args:
            images: ``(N, C, H, W)`` good images in [-1, 1].
        """
        if self.model.needs_search_of_good:
            super().learn_from_good(images)

    def fit_to_good(self, parts: Sequence[torch.Tensor]) -> None:
        """Fit the standardised residual and the latent distance in one search.

        Args:
            parts: Good images ``(B, C, H, W)`` in [-1, 1] each.
        """
        self.model.fit_to_good(parts, search_progress(self.trainer))

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Settings of the search, and which image score.
        """
        search = dataclasses.asdict(self.model.search)
        del search["precision"]  # hardly changes a score
        return {**search, "image_score": self.model.image_score}
