# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A small supervised classifier as an anomalib model: what labelled defects would be worth.

Paper:
    Zhou et al.: Learning Deep Features for Discriminative Localization. CVPR 2016 (the anomaly
    map). https://arxiv.org/abs/1512.04150
"""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, cast

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.models.components import AnomalibModule
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer
from lightning.pytorch import Callback
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch.nn import functional as F

from anogan_plugin.models.components.gan_settings import check_at_least, check_learning
from anogan_plugin.models.components.health import TrainingDivergedError, TrainingHealth
from anogan_plugin.models.components.image_scores import ImageScores
from anogan_plugin.models.components.image_scoring import ImageScoring
from anogan_plugin.models.components.network_training import NetworkTraining, check_one_process
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.training_watch import TrainingWatch
from anogan_plugin.models.components.visualization import ReconstructionVisualizer
from anogan_plugin.models.supervised_cnn.augmentation import augment
from anogan_plugin.models.supervised_cnn.labelled import (
    file_digests,
    labelled_defects_of,
    load_images,
    refuse_trained_on,
    some_of_each_type,
)
from anogan_plugin.models.supervised_cnn.torch_model import SupervisedCNNModel

_HELD_OUT_IMAGES = 512
_FEWEST = 2
_HOTTEST_LOGIT = 20.0


class SupervisedLearning(str, Enum):
    """The member that anomalib's ``LearningType`` lacks: it trains, and not on one class."""

    SUPERVISED = "supervised"


class SupervisedCNN(ImageScoring, NetworkTraining, AnomalibModule):
    """Learns to tell good images from labelled defects: this is not one-class learning.

    It needs what the other models do without, images of defects with labels, and shows what those
    would be worth: an upper bound for the defects that it was shown, and no promise for others.
    ``--data.labelled_defects K`` has ICMold or OneClassDigits set K images of each type aside for
    it, out of the test set. The score is the logit, raw: higher is more anomalous. Its last epoch
    is kept; a threshold is set on held-out good images when training ends.

    Args:
        image_size: Side length of the images in pixels: 32, 64, 128 or 256.
        channels: 1 for grey, 3 for colour.
        width: Channels of the layer next to the image; deeper layers have up to eight times this.
        defects_per_type: How many labelled defects of each type it learns from, at least 1; None
            takes all that the data module has set aside.
        dropout: Share of the features that a training step leaves out, in [0, 1).
        learning_rate: Step size of Adam.
        training_precision: What the network computes in while it trains: ``auto`` for bfloat16
            where the machine has instructions for it, ``bf16``, or ``fp32`` for whatever the
            trainer's precision is; weights are float32.
        overkill: Share of good images that the threshold may reject, in (0, 1).
        pre_processor: anomalib pre-processor; True resizes to ``image_size`` and scales to [-1, 1].
        post_processor: anomalib post-processor; True leaves scores raw and sets the threshold on
            held-out good images.
        evaluator: anomalib evaluator; True computes AUROC and F1 of images and pixels.
        visualizer: anomalib visualizer; True saves image and heat map.

    Raises:
        ValueError: If an argument is not one of its valid choices; when training starts, if the
            data module has no labelled defects.

    Example:
        >>> model = SupervisedCNN(image_size=32, width=4).eval()
        >>> model(torch.rand(2, 3, 32, 32)).pred_score.shape
        torch.Size([2])
    """

    remedy = "try a lower learning_rate or another seed"

    # There while it trains.
    _defects: torch.Tensor
    _draws: torch.Generator

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        width: int = 32,
        defects_per_type: int | None = None,
        dropout: float = 0.5,
        learning_rate: float = 1e-3,
        training_precision: Literal["auto", "fp32", "bf16"] = "auto",
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
        check_learning(learning_rate)
        if defects_per_type is not None:
            check_at_least(1, defects_per_type=defects_per_type)
        self.defects_per_type = defects_per_type
        self.learning_rate = learning_rate
        self.model: SupervisedCNNModel = SupervisedCNNModel(image_size, channels, width, dropout)
        self.set_up_training(training_precision)
        # By the digest of its file the type of every labelled defect that was ever learnt from.
        self.labelled: dict[str, str] = {}
        self._held_out: list[torch.Tensor] = []

    @property
    def labelled_counts(self) -> dict[str, int]:
        """How many labelled defects of each type it has learnt from."""
        return dict(sorted(Counter(self.labelled.values()).items()))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam.

        Returns:
            The optimizer.
        """
        return [torch.optim.Adam(self.model.parameters(), self.learning_rate, fused=True)]

    def setup(self, stage: str) -> None:
        """Check that all labelled defects will be drawn here.

        Raises:
            ValueError: If several processes are to train it.
        """
        super().setup(stage)
        if stage == "fit":
            check_one_process("SupervisedCNN", self.trainer)

    def on_fit_start(self) -> None:
        """Load the labelled defects.

        Raises:
            ValueError: If there are none, or too few.
        """
        labelled = labelled_defects_of(getattr(self.trainer, "datamodule", None))
        if self.defects_per_type is not None:
            labelled = some_of_each_type(labelled, self.defects_per_type)
        digests = file_digests(labelled.samples.image_path)
        self.labelled.update(zip(digests, labelled.samples.defect_type, strict=True))
        self._defects = self.model.images_of(
            load_images(labelled, cast(PreProcessor, self.pre_processor))
        )
        self._draws = torch.Generator().manual_seed(0)
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.labelled_counts.items())
        rank_zero_info(f"SupervisedCNN learns from labelled defects: {kinds}")

    def on_train_epoch_start(self) -> None:
        """Log how many labelled defects it learns from."""
        self.log_dict({name: float(count) for name, count in self._labelled_columns().items()})

    def training_step(self, batch: ImageBatch, batch_idx: int) -> dict[str, torch.Tensor]:
        """Update the classifier on good images and as many labelled defects.

        Args:
            batch: Good images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.

        Returns:
            The loss, the mean binary cross-entropy of the 2·B images.

        Raises:
            TrainingDivergedError: If it is NaN or infinite.
        """
        del batch_idx
        good = self.images_of(batch)
        images = torch.cat([good, self._drawn_defects(len(good)).to(good)])
        labels = torch.arange(2, device=good.device).repeat_interleave(len(good)).float()
        # One batch, for one BatchNorm and one augmentation: only the part itself tells them apart.
        with self.autocast(good.device):
            logits = self.model.logits(augment(images, self._draws))
        loss = self.descend(0, F.binary_cross_entropy_with_logits(logits, labels))
        problem = TrainingHealth(self.remedy).non_finite({"loss": loss}, self.current_epoch)
        if problem:
            raise TrainingDivergedError(problem)
        return self.end_update({"loss": loss}, len(good))

    def _drawn_defects(self, count: int) -> torch.Tensor:
        drawn = torch.randint(len(self._defects), (count,), generator=self._draws)
        return self._defects[drawn]

    def on_validation_epoch_start(self) -> None:
        """Forget the held-out images of the epoch before."""
        self._held_out = []

    def validation_step(self, batch: ImageBatch, batch_idx: int) -> ImageBatch:
        """Keep the held-out good images for the threshold, and log their loss.

        Nothing is chosen by ``held_out_loss``, the binary cross-entropy of good images alone: a
        model that calls everything good has the lowest.

        Args:
            batch: Images ``(B, 3, H, W)`` in [-1, 1]; defects among them are left out.
            batch_idx: Not used.

        Returns:
            The batch as it came.
        """
        del batch_idx
        images = self.images_of(batch)
        if batch.gt_label is not None:
            images = images[~batch.gt_label.bool()]
        if len(images):
            loss = F.softplus(self.model.logits(images)).mean()
            self.log("held_out_loss", loss, prog_bar=True, batch_size=len(images))
        room = _HELD_OUT_IMAGES - sum(len(kept) for kept in self._held_out)
        self._held_out.append(images[:room])
        return batch

    def on_train_end(self) -> None:
        """Set the threshold on held-out good images, and save it with the last epoch."""
        held_out, self._held_out = self._held_out, []
        del self._defects, self._draws
        if sum(len(images) for images in held_out) < _FEWEST:
            rank_zero_warn(
                "SupervisedCNN set no threshold, because there were fewer than two good validation "
                "images: have the data module hold some out of the training images"
            )
            return
        self.model.eval()
        with torch.no_grad():
            self.calibrate(torch.cat(held_out))
        self.model.train()
        for checkpoint in self.trainer.checkpoint_callbacks:
            if path := getattr(checkpoint, "best_model_path", ""):
                self.trainer.save_checkpoint(path)

    def score(self, images: torch.Tensor) -> ImageScores:
        """Judge images, and say beside every score how many labelled defects it took.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            Their scores; constant parts are ``labelled_defects``, their number, and
            ``labelled_defects_TYPE`` for each type.
        """
        scores = self.model.score(images)
        counts = {
            name: torch.full_like(scores.pred_score, count)
            for name, count in self._labelled_columns().items()
        }
        return scores._replace(parts={**scores.parts, **counts})

    def _labelled_columns(self) -> dict[str, int]:
        by_type = {f"labelled_defects_{k}": count for k, count in self.labelled_counts.items()}
        return {"labelled_defects": sum(self.labelled_counts.values()), **by_type}

    def test_step(self, batch: ImageBatch, batch_idx: int, *args: Any, **kwargs: Any) -> ImageBatch:
        """Score, unless an image was trained on; :meth:`predict_step` scores any.

        Args:
            batch: Images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.
            args: Not used.
            kwargs: Not used.

        Returns:
            The scored batch.

        Raises:
            ValueError: If an image is one of the labelled defects.
        """
        refuse_trained_on(batch, self.labelled)
        return super().test_step(batch, batch_idx, *args, **kwargs)

    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Nothing.
        """
        return {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save which labelled defects were learnt from.

        Args:
            checkpoint: What will be written.
        """
        super().on_save_checkpoint(checkpoint)
        checkpoint["labelled"] = self.labelled

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it.

        Args:
            checkpoint: What was read.
        """
        super().on_load_checkpoint(checkpoint)
        self.labelled = checkpoint["labelled"]

    def configure_callbacks(self) -> Sequence[Callback]:
        """Those of the other models, without the watch.

        It watches what a reconstruction leaves of good images, and here is none. The last epoch is
        kept: every epoch that a labelled defect could choose would need one more of them.

        Returns:
            The callbacks.
        """
        return [c for c in super().configure_callbacks() if not isinstance(c, TrainingWatch)]

    @classmethod
    def configure_visualizer(cls) -> Visualizer:
        """Strips of image and heat map.

        Returns:
            The visualizer.
        """
        return ReconstructionVisualizer(full_scale=_HOTTEST_LOGIT)

    @property
    def learning_type(self) -> SupervisedLearning:
        """Trained on good images and labelled defects.

        Returns:
            ``"supervised"``, for which anomalib has no name; it trains whatever is neither zero-
            nor few-shot.
        """
        return SupervisedLearning.SUPERVISED
