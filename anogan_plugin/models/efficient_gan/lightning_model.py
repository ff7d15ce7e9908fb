# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""EfficientGAN as an anomalib model.

Paper:
    Zenati, Foo, Lecouat, Manek, Chandrasekhar: Efficient GAN-Based Anomaly Detection. 2018.
    https://arxiv.org/abs/1802.06222
"""

from typing import Any, Literal

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.models.components.bidirectional_training import BidirectionalTraining
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.efficient_gan.presets import PRESETS
from anogan_plugin.models.efficient_gan.torch_model import EfficientGANModel
from anogan_plugin.presets import with_overrides


class EfficientGAN(ImageScoring, BidirectionalTraining, AnomalibModule):
    """Learns a BiGAN on good images and scores an image by one pass through E, G and D.

    An encoder E learns to invert the generator G, in place of AnoGAN's search. The score is what is
    left of an image x,

        A(x) = (1 − λ)·Σ|x − G(E(x))| + λ·L_D(x),

    raw: higher is more anomalous, without a fixed range. A threshold is set on held-out good
    images when training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data
    module; the pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: How the BiGAN is trained: ``default``, which reconstructs good parts better, or
            ``paper``, as Zenati et al. train it (with ``--data.train_batch_size 100``).
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector; None takes the preset's.
        width: Channels of the layer next to the image, in G, E and D; None takes the preset's.
        discriminator_norm: ``batch`` or ``none``, in D; None takes the preset's.
        dropout: Share in [0, 1) of D's activations left out in training; None takes the preset's.
        r1_weight: Weight of the R1 gradient penalty on D, 0 for none; None takes the preset's.
        reconstruction_weight: Weight of the mean |x − G(E(x))| that E minimises too, 0 for none, as
            in the paper; None takes the preset's.
        ema_decay: Decay in [0, 1) of the moving averages of G, E and D that score; None takes the
            preset's.
        learning_rate: Step size of Adam, for all networks; None takes the preset's.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights and scores are float32.
        discrimination: L_D: ``features`` for Σ|f(x, E(x)) − f(G(E(x)), E(x))|, with f the last
            layer of D before its logit, or ``cross_entropy`` for −log D(x, E(x)).
        discrimination_weight: λ in [0, 1], the weight of L_D.
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
        >>> model = EfficientGAN(image_size=32, width=4)
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
        discriminator_norm: Literal["batch", "none"] | None = None,
        dropout: float | None = None,
        r1_weight: float | None = None,
        reconstruction_weight: float | None = None,
        ema_decay: float | None = None,
        learning_rate: float | None = None,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        discrimination: Literal["features", "cross_entropy"] = "features",
        discrimination_weight: float = 0.1,
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
        overrides = {
            "latent_size": latent_size,
            "width": width,
            "discriminator_norm": discriminator_norm,
            "dropout": dropout,
            "r1_weight": r1_weight,
            "reconstruction_weight": reconstruction_weight,
            "ema_decay": ema_decay,
            "learning_rate": learning_rate,
        }
        settings = with_overrides("preset", PRESETS, preset, overrides)
        self.model: EfficientGANModel = EfficientGANModel(
            image_size, channels, settings, discrimination, discrimination_weight, image_score
        )
        self.set_up_bidirectional(settings, training_precision)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D and for G and E.

        Returns:
            The optimizers.
        """
        return self.bidirectional_optimizers()

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update D, then G and E, then the moving averages.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The losses of D and of G and E.
        """
        del batch_idx
        images = self.images_of(batch)
        return self.end_update(self.train_bidirectional(images), len(images))

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            What A(x) is made of, and which image score.
        """
        return {
            "discrimination": self.model.discrimination,
            "discrimination_weight": self.model.discrimination_weight,
            "image_score": self.model.image_score,
        }
