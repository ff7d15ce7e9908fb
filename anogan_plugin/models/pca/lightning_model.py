# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Principal components of good images as an anomalib model.

Paper:
    Turk, Pentland: Eigenfaces for Recognition. Journal of Cognitive Neuroscience 3(1), 1991.
    Tipping, Bishop: Probabilistic Principal Component Analysis. JRSS B 61(3), 1999.
"""

from typing import Any, Literal

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer

from anogan_plugin.models.components.image_scores import residual_map
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.network_training import NetworkTraining, check_one_process
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.pca.torch_model import PCAModel


class PCA(ImageScoring, NetworkTraining, AnomalibModule):
    """Reconstructs images by the principal components of good ones, without any network.

    x̂ = m + V Vᵀ(x − m). Their number is the one under which good images that were left out are
    likeliest, as probabilistic PCA has it. One pass over the images trains it. Scores are raw:
    higher is more anomalous. A threshold is set on held-out good images. Images come as
    ``(B, 3, H, W)`` in [0, 1], as from any anomalib data module; the pre-processor resizes them and
    makes them grey where ``channels`` is 1.

    Args:
        image_size: Side length of the images in pixels.
        channels: 1 for grey, 3 for colour.
        components: Number of principal components, fewer than the images trained on; None chooses
            it by likelihood.
        image_score: ``standardised`` for the most unusual spot of the residual; ``sum`` or ``mean``
            of |x − x̂|, ``local`` for its largest local mean.
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
        >>> model = PCA(image_size=32, components=2, image_score="sum")
        >>> model.model.fit(torch.rand(8, 1, 32, 32))
        >>> model.eval()(torch.rand(2, 3, 32, 32)).pred_score.shape
        torch.Size([2])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        components: int | None = None,
        image_score: Literal["sum", "mean", "local", "standardised"] = "standardised",
        overkill: float = 0.01,
        pre_processor: PreProcessor | bool = True,
        post_processor: PostProcessor | bool = True,
        evaluator: Evaluator | bool = True,
        visualizer: Visualizer | bool = True,
    ) -> None:
        network = PCAModel(image_size, channels, components, image_score)
        if pre_processor is True:
            pre_processor = self.configure_pre_processor((image_size, image_size), channels)
        if post_processor is True:
            post_processor = HeldOutGoodPostProcessor(overkill)
        super().__init__(pre_processor, post_processor, evaluator, visualizer)
        self.model: PCAModel = network
        self.set_up_training("fp32")
        self.automatic_optimization = True  # only its steps make Lightning write a checkpoint
        self._seen: list[torch.Tensor] = []

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Which image score.
        """
        return {"image_score": self.model.image_score}

    def setup(self, stage: str) -> None:
        """Check that all images will be seen here.

        Raises:
            ValueError: If several processes are to train it.
        """
        super().setup(stage)
        if stage == "fit":
            check_one_process("PCA", self.trainer)

    def configure_optimizers(self) -> None:
        """Nothing is descended on."""

    def training_step(self, batch: ImageBatch, batch_idx: int) -> torch.Tensor:
        """Keep the images.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            A loss of 0 that Lightning can differentiate.
        """
        del batch_idx
        images = self.images_of(batch)
        self._seen.append(images.clone())
        return torch.zeros((), requires_grad=True, device=images.device)

    def on_validation_start(self) -> None:
        """Learn from the images seen, before they are first needed."""
        self.on_train_epoch_end()

    def on_train_epoch_end(self) -> None:
        """Learn from the images seen, where there was no validation."""
        if self._seen:
            self.model.fit(torch.cat(self._seen))
            self._seen.clear()

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """What becomes of images.

        Args:
            images: ``(B, C, H, W)`` real images in [-1, 1].

        Returns:
            ``(B, C, H, W)`` their reconstructions.
        """
        return self.model.reconstruct(images)

    def held_out_residual(self, images: torch.Tensor) -> float:
        """How well good images are reconstructed that were never trained on.

        Args:
            images: ``(N, C, H, W)`` held-out good images in [-1, 1].

        Returns:
            Mean |x − x̂| per pixel, in grey levels of [-1, 1].
        """
        return float(residual_map(images, self.model.reconstruct(images)).mean())

    @property
    def trainer_arguments(self) -> dict[str, Any]:
        """One epoch is all there is.

        Returns:
            Arguments for Lightning's trainer.
        """
        return {**super().trainer_arguments, "max_epochs": 1}
