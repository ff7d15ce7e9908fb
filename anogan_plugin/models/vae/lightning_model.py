# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A variational autoencoder as an anomalib model.

Papers:
    Kingma, Welling: Auto-Encoding Variational Bayes. ICLR 2014. https://arxiv.org/abs/1312.6114

    An, Cho: Variational Autoencoder based Anomaly Detection using Reconstruction Probability.
    Special Lecture on IE 2(1), SNU Data Mining Center, 2015.
"""

from typing import Any, Literal

from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.reconstruction_training import (
    ReconstructionSettings,
    ReconstructionTraining,
)
from anogan_plugin.models.components.visualization import ReconstructionVisualizer
from anogan_plugin.models.vae.torch_model import VAEModel

_HOTTEST_DIFFERENCE = 0.5  # grey levels of [-1, 1], in the heat map


class VAE(ImageScoring, ReconstructionTraining, AnomalibModule):
    """Learns the distribution of good images and scores an image by how improbable it is.

    The encoder makes a distribution q(z|x) = N(μ, diag s²) of an image x, the decoder G the mean of
    p(x|z) = N(G(z), σ²I). Training lowers, for a draw z from q(z|x),

        Σ(x − G(z))² / (2σ²) + β·KL(q(z|x) ‖ N(0, I)),

    the negative evidence lower bound (ELBO) without its constant. The score is one of the first
    term at z = μ, or of both. Scores are raw: higher is more anomalous, without a fixed range. A
    threshold is set on held-out good images when training ends. Images come as ``(B, 3, H, W)`` in
    [0, 1], as from any anomalib data module; the pre-processor resizes them and makes them grey
    where ``channels`` is 1.

    Args:
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        latent_size: Length of a latent vector, at least 1.
        width: Channels of the layer next to the image, in the encoder and in the decoder.
        kl_weight: β, at least 0: 1 for the VAE, another for a β-VAE (Higgins et al. 2017).
        pixel_std: σ, the noise that a good pixel may have, in grey levels of [-1, 1]; above 0.
        learning_rate: Step size of Adam.
        training_precision: What the networks compute in while they train: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights are float32.
        image_score: ``sum`` for −log p(x|z = μ), the reconstruction probability, without its
            constant; ``mean`` for its mean over the pixels; ``local`` for its largest local
            mean; ``standardised`` for the most unusual spot of the residual; ``elbo`` for the
            training loss at z = μ.
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
        >>> model = VAE(image_size=32, width=4, latent_size=8)
        >>> model.eval()(torch.rand(2, 3, 32, 32)).pred_score.shape
        torch.Size([2])
    """

    remedy = (
        "where reconstructions all look alike, try a lower kl_weight or pixel_std; else another "
        "seed, a lower learning_rate or more training images"
    )

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        latent_size: int = 128,
        width: int = 32,
        kl_weight: float = 1.0,
        pixel_std: float = 0.05,
        learning_rate: float = 1e-3,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
        image_score: Literal["sum", "mean", "local", "standardised", "elbo"] = "sum",
        overkill: float = 0.01,
        pre_processor: PreProcessor | bool = True,
        post_processor: PostProcessor | bool = True,
        evaluator: Evaluator | bool = True,
        visualizer: Visualizer | bool = True,
    ) -> None:
        settings = ReconstructionSettings(latent_size, width, learning_rate, weight_decay=0.0)
        network = VAEModel(
            image_size, channels, latent_size, width, kl_weight, pixel_std, image_score
        )
        if pre_processor is True:
            pre_processor = self.configure_pre_processor((image_size, image_size), channels)
        if post_processor is True:
            post_processor = HeldOutGoodPostProcessor(overkill)
        if visualizer is True:
            visualizer = ReconstructionVisualizer(
                channels * _HOTTEST_DIFFERENCE**2 / (2 * pixel_std**2)
            )
        super().__init__(pre_processor, post_processor, evaluator, visualizer)
        self.model: VAEModel = network
        self.set_up_reconstruction(settings, training_precision)

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            σ, β, and which image score.
        """
        return {
            "pixel_std": self.model.pixel_std,
            "kl_weight": self.model.kl_weight,
            "image_score": self.model.image_score,
        }
