# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A convolutional autoencoder as an anomalib model.

Paper:
    Bergmann et al.: Improving Unsupervised Defect Segmentation by Applying Structural Similarity
    to Autoencoders. VISAPP 2019. https://arxiv.org/abs/1807.02011
"""

from typing import Any, Literal

from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.reconstruction_training import ReconstructionTraining
from anogan_plugin.models.components.visualization import ReconstructionVisualizer
from anogan_plugin.models.conv_autoencoder.presets import autoencoder_settings
from anogan_plugin.models.conv_autoencoder.torch_model import ConvAutoencoderModel

_HOTTEST = {"l2": 0.25, "l1": 0.5, "ssim": 1.0}  # of the anomaly map, in the heat map


class ConvAutoencoder(ImageScoring, ReconstructionTraining, AnomalibModule):
    """Learns to squeeze good images through few numbers; what does not fit through is anomalous.

    The encoder E makes a latent vector of an image x, the decoder G makes x̂ = G(E(x)) of it. The
    anomaly map is the loss per pixel,

        (x − x̂)²   or   |x − x̂|   or   1 − SSIM(x, x̂),

    averaged over the channels, and training lowers its mean on good images. Scores are raw: higher
    is more anomalous, without a fixed range. A threshold is set on held-out good images when
    training ends. Images come as ``(B, 3, H, W)`` in [0, 1], as from any anomalib data module; the
    pre-processor resizes them and makes them grey where ``channels`` is 1.

    Args:
        preset: How it is trained: ``default``, or ``paper`` with the numbers of Bergmann et al.
            2018.
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector, at least 1; None takes the preset's.
        width: Channels of the layer next to the image, in E and in G; None takes the preset's.
        loss: ``l2``, ``l1`` or ``ssim``; None takes the preset's.
        learning_rate: Step size of Adam; None takes the preset's.
        weight_decay: Weight of Adam's weight decay, 0 for none; None takes the preset's.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights are float32.
        image_score: ``mean`` or ``sum`` of the anomaly map, ``local`` for its largest local mean,
            or ``standardised`` for the most unusual spot of the residual.
        overkill: Share of good images that the threshold may reject, in (0, 1).
        pre_processor: anomalib pre-processor; True resizes to ``image_size`` and scales to [-1, 1].
        post_processor: anomalib post-processor; True leaves scores raw and sets the threshold on
            held-out good images.
        evaluator: anomalib evaluator; True computes AUROC and F1 of images and pixels.
        visualizer: anomalib visualizer; True saves image, reconstruction, difference and heat map.

    Raises:
        ValueError: If an argument is not one of its valid choices.

    Example:
        >>> import torch
        >>> model = ConvAutoencoder(image_size=32, width=4, latent_size=8)
        >>> model.eval()(torch.rand(2, 3, 32, 32)).pred_score.shape
        torch.Size([2])
    """

    def __init__(
        self,
        preset: Literal["default", "paper"] = "default",
        image_size: int = 64,
        channels: int = 1,
        latent_size: int | None = None,
        width: int | None = None,
        loss: Literal["l2", "l1", "ssim"] | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal["sum", "mean", "local", "standardised"] = "mean",
        overkill: float = 0.01,
        pre_processor: PreProcessor | bool = True,
        post_processor: PostProcessor | bool = True,
        evaluator: Evaluator | bool = True,
        visualizer: Visualizer | bool = True,
    ) -> None:
        settings = autoencoder_settings(
            preset,
            latent_size=latent_size,
            width=width,
            loss=loss,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
        )
        if pre_processor is True:
            pre_processor = self.configure_pre_processor((image_size, image_size), channels)
        if post_processor is True:
            post_processor = HeldOutGoodPostProcessor(overkill)
        if visualizer is True:
            visualizer = ReconstructionVisualizer(_HOTTEST[settings.loss])
        super().__init__(pre_processor, post_processor, evaluator, visualizer)
        self.model: ConvAutoencoderModel = ConvAutoencoderModel(
            image_size,
            channels,
            settings.latent_size,
            settings.width,
            settings.loss,
            image_score,
        )
        self.set_up_reconstruction(settings, training_precision)

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            The loss per pixel, and which image score.
        """
        return {"loss": self.model.loss, "image_score": self.model.image_score}
