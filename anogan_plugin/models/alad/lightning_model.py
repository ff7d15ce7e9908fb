# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ALAD as an anomalib model.

Paper:
    Zenati, Romain, Foo, Lecouat, Chandrasekhar: Adversarially Learned Anomaly Detection. ICDM 2018.
    https://arxiv.org/abs/1812.02288
"""

from typing import Any, Literal

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.models.alad.presets import PRESETS
from anogan_plugin.models.alad.torch_model import ALADModel
from anogan_plugin.models.components.bidirectional_training import BidirectionalTraining
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.presets import with_overrides


class ALAD(ImageScoring, BidirectionalTraining, AnomalibModule):
    """Learns a bidirectional GAN on good images and scores an image by its reconstruction.

    Beside BiGAN's D(x, z) two discriminators, D(x, x̂) and D(z, ẑ), judge how G and E reconstruct
    images and latent vectors. The paper's score compares the features f of D(x, x̂),

        A(x) = Σ|f(x, x) − f(x, G(E(x)))|,

    raw: higher is more anomalous, without a fixed range. A threshold is set on held-out good
    images when training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data
    module; the pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: How the networks are trained: ``default``, which reconstructs good parts better, or
            ``paper``, as Zenati et al. train them (with ``--data.train_batch_size 32``).
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector; None takes the preset's.
        width: Channels of the layer next to the image, in G, E and the discriminators; None takes
            the preset's.
        spectral_norm: Whether weights of E and of the discriminators are divided by their spectral
            norm; None takes the preset's.
        discriminator_norm: ``batch`` or ``none``, in the discriminators; None takes the preset's.
        dropout: Share in [0, 1) of the discriminators' activations left out in training; None takes
            the preset's.
        r1_weight: Weight of the R1 gradient penalty on the discriminators, 0 for none; None takes
            the preset's.
        reconstruction_weight: Weight of the mean |x − G(E(x))| that E minimises too, 0 for none, as
            in the paper; None takes the preset's.
        ema_decay: Decay in [0, 1) of the moving averages of all networks that score; None takes the
            preset's.
        learning_rate: Step size of Adam, for all networks; None takes the preset's.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights and scores are float32.
        image_score: ``features`` for A(x), or another of the paper's: ``l1`` and ``l2``, the norms
            of x − G(E(x)), ``logits`` for −log D(x, G(E(x))); ``local`` for the largest local
            mean of the residual |x − G(E(x))|; ``standardised`` for its most unusual spot.
        overkill: Share of good images that the threshold may reject, in (0, 1).
        pre_processor: anomalib pre-processor; True resizes to ``image_size`` and scales to [-1, 1].
        post_processor: anomalib post-processor; True leaves scores raw and sets the threshold on
            held-out good images.
        evaluator: anomalib evaluator; True computes AUROC and F1 of images and pixels.
        visualizer: anomalib visualizer; True saves image, reconstruction, difference and heat map.

    Raises:
        ValueError: If an argument is not one of its valid choices.

    Example:
        >>> model = ALAD(image_size=32, width=4)
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
        spectral_norm: bool | None = None,
        discriminator_norm: Literal["batch", "none"] | None = None,
        dropout: float | None = None,
        r1_weight: float | None = None,
        reconstruction_weight: float | None = None,
        ema_decay: float | None = None,
        learning_rate: float | None = None,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal[
            "features", "l1", "l2", "logits", "local", "standardised"
        ] = "features",
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
            "spectral_norm": spectral_norm,
            "discriminator_norm": discriminator_norm,
            "dropout": dropout,
            "r1_weight": r1_weight,
            "reconstruction_weight": reconstruction_weight,
            "ema_decay": ema_decay,
            "learning_rate": learning_rate,
        }
        settings = with_overrides("preset", PRESETS, preset, overrides)
        self.model: ALADModel = ALADModel(image_size, channels, settings, image_score)
        self.set_up_bidirectional(settings, training_precision)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for the discriminators and for G and E.

        Returns:
            The optimizers.
        """
        return self.bidirectional_optimizers()

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update the discriminators, then G and E, then the moving averages.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The losses of the discriminators and of G and E.
        """
        del batch_idx
        images = self.images_of(batch)
        return self.end_update(self.train_bidirectional(images), len(images))

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Which image score.
        """
        return {"image_score": self.model.image_score}
