# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What every model that scores images by a reconstruction does alike inside anomalib."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import torch
from anomalib import LearningType
from anomalib.data import ImageBatch
from anomalib.metrics import Evaluator
from anomalib.pre_processing import PreProcessor
from anomalib.visualization import Visualizer
from lightning.pytorch import Callback
from lightning.pytorch.utilities import rank_zero_warn

from anogan_plugin.models.components.evaluation import raw_score_evaluator
from anogan_plugin.models.components.exporting import ScoringExport
from anogan_plugin.models.components.image_scores import ImageScores
from anogan_plugin.models.components.learnt_from_good import (
    FEWEST_IMAGES,
    LearntFromGood,
    UnfittedError,
)
from anogan_plugin.models.components.modes import eval_mode
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.pre_processing import to_generator_range
from anogan_plugin.models.components.score_table import ScoreTable
from anogan_plugin.models.components.visualization import ReconstructionVisualizer

CLASS_NAME = "class_name"
"""Key of the model's class in a checkpoint: neither Lightning nor anomalib notes it."""
_CALIBRATION_BATCH = 64


class ScoringModel(Protocol):
    """What the torch model of such a model offers."""

    def images_of(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)`` of images ``(B, 3, H, W)``."""

    def score(self, images: torch.Tensor) -> ImageScores:
        """Scores of images ``(B, C, H, W)`` in [-1, 1]."""

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstructions of images ``(B, C, H, W)``, those that the scores are made of."""


class ImageScoring(ScoringExport):
    """Tests, predicts and calibrates with ``self.model``, a :class:`ScoringModel`.

    To stand before :class:`~anomalib.models.components.AnomalibModule` among a model's bases.
    anomalib takes every direct subclass of that for a model, and nothing else: models name it
    themselves, and what they share must not be one.
    """

    if TYPE_CHECKING:
        model: Any
        trainer: Any
        hparams: Any
        post_processor: Any

    @abstractmethod
    def score_arguments(self) -> dict[str, Any]:
        """What a threshold depends on beside the weights.

        Returns:
            Names and values that can be compared and saved.
        """

    def images_of(self, batch: ImageBatch) -> torch.Tensor:
        """The images of a batch as the networks take them.

        Args:
            batch: Pre-processed batch of images ``(B, 3, H, W)`` in [-1, 1].

        Returns:
            ``(B, C, H, W)``.
        """
        return self._scoring.images_of(cast(torch.Tensor, batch.image))

    def score(self, images: torch.Tensor) -> ImageScores:
        """Score images; a model whose scoring takes long shows here how far it is.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            Their scores.
        """
        return self._scoring.score(images)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstruct images as :meth:`score` does.

        Args:
            images: ``(B, C, H, W)`` in [-1, 1].

        Returns:
            ``(B, C, H, W)`` in [-1, 1].
        """
        return self._scoring.reconstruct(images)

    def learn_from_good(self, images: torch.Tensor) -> None:
        """Learn what the reconstructions of good images leave over, if there are enough of them.

        Args:
            images: ``(N, C, H, W)`` good images in [-1, 1].
        """
        if len(images) < FEWEST_IMAGES:
            return
        parts = images.float().split(_CALIBRATION_BATCH)
        with eval_mode(self.model), torch.autocast(images.device.type, enabled=False):
            self.fit_to_good(parts)

    def fit_to_good(self, parts: Sequence[torch.Tensor]) -> None:
        """Fit what scores measure against good images; in eval mode, in float32.

        Args:
            parts: Good images ``(B, C, H, W)`` in [-1, 1] each.
        """
        residuals = [part - self.reconstruct(part) for part in parts]
        self.model.standardised.fit(torch.cat(residuals))

    def check_fitted(self) -> None:
        """Check that the model can give its image score.

        Raises:
            UnfittedError: If that is learnt from good images, and it has not seen any.
        """
        # Such a score is called as the module that learns it.
        name = getattr(self.model, "image_score", "")
        learns = getattr(self.model, name, None)
        if isinstance(learns, LearntFromGood) and not learns.fitted:
            raise UnfittedError(name)

    def _score_in_eval_mode(self, images: torch.Tensor) -> ImageScores:
        # Calibration comes while Lightning trains, and autocast where the trainer's precision asks
        # for it; a threshold and what it is compared with must be computed alike, in float32.
        with eval_mode(self.model), torch.autocast(images.device.type, enabled=False):
            return self.score(images.float())

    def on_train_start(self) -> None:
        """Drop what good images taught an earlier training: it belongs to other weights."""
        for module in self.model.modules():
            if isinstance(module, LearntFromGood):
                module.fitted = False
        if isinstance(self.post_processor, HeldOutGoodPostProcessor):
            self.post_processor.reset()

    def validation_step(self, batch: ImageBatch, batch_idx: int) -> ImageBatch:
        """Score nothing: a search per epoch would take days. See :class:`TrainingWatch`.

        Args:
            batch: Held-out good images.
            batch_idx: Not used.

        Returns:
            The batch as it came.
        """
        del batch_idx
        return batch

    def test_step(self, batch: ImageBatch, batch_idx: int, *args: Any, **kwargs: Any) -> ImageBatch:
        """Score, and attach the parts of the score to the batch.

        Args:
            batch: Images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.
            args: Not used.
            kwargs: Not used.

        Returns:
            The batch with ``pred_score`` and ``anomaly_map``, and as attributes the
            ``reconstruction`` ``(B, C, H, W)`` and the ``score_parts``, ``(B,)`` each.
        """
        del batch_idx, args, kwargs
        return self._scored(batch)

    def predict_step(
        self, batch: ImageBatch, batch_idx: int, dataloader_idx: int = 0
    ) -> ImageBatch:
        """As :meth:`test_step`.

        Args:
            batch: Images ``(B, 3, H, W)`` in [-1, 1].
            batch_idx: Not used.
            dataloader_idx: Not used.

        Returns:
            The scored batch.
        """
        del batch_idx, dataloader_idx
        return self._scored(batch)

    def _scored(self, batch: ImageBatch) -> ImageBatch:
        scores = self._score_in_eval_mode(self.images_of(batch))
        scored: Any = batch.update(pred_score=scores.pred_score, anomaly_map=scores.anomaly_map)
        scored.reconstruction = scores.reconstruction
        scored.score_parts = scores.parts
        return scored

    def calibrate(self, images: torch.Tensor) -> None:
        """Set the thresholds of the post-processor on held-out good images.

        Args:
            images: ``(N, C, H, W)`` in [-1, 1].
        """
        if not isinstance(self.post_processor, HeldOutGoodPostProcessor):
            return
        parts = images.split(_CALIBRATION_BATCH)
        scores = [self._score_in_eval_mode(part) for part in parts]
        self.post_processor.calibrate(
            torch.cat([part.pred_score for part in scores]),
            torch.cat([part.anomaly_map for part in scores]),
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save which model this is and what is scored.

        Args:
            checkpoint: What will be written.
        """
        super().on_save_checkpoint(checkpoint)
        checkpoint[CLASS_NAME] = type(self).__name__
        # Not hyper_parameters: Lightning has overwritten those by the time they are read again.
        checkpoint["score_arguments"] = self.score_arguments()
        if isinstance(self.post_processor, HeldOutGoodPostProcessor):
            # One that was handed in has its own, which the argument says nothing of.
            checkpoint["hyper_parameters"]["overkill"] = self.post_processor.overkill

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Drop thresholds that belong to another score; judge anew at another overkill.

        Args:
            checkpoint: What was read.
        """
        asked = getattr(self.post_processor, "overkill", None)
        super().on_load_checkpoint(checkpoint)  # takes the post-processor's overkill from it
        dropped = self._drop_thresholds_of_another_score(checkpoint)
        judge = self.post_processor
        if not isinstance(judge, HeldOutGoodPostProcessor) or asked in (None, judge.overkill):
            return
        judge.overkill = asked
        if not dropped:
            self._judge_anew(checkpoint["state_dict"])

    def _drop_thresholds_of_another_score(self, checkpoint: dict[str, Any]) -> bool:
        then, now = _with_guesses(checkpoint.get("score_arguments", {})), self.score_arguments()
        changed = [name for name in now if then.get(name) != now[name]]
        if not changed:
            return False
        state = checkpoint["state_dict"]
        for name in ("_image_threshold", "_pixel_threshold", "_good_scores"):
            if (key := f"post_processor.{name}") in state:
                state[key] = torch.full_like(state[key], float("nan"))
        rank_zero_warn(
            f"no image will be accepted or rejected: the thresholds in the checkpoint are for "
            f"{ {name: then.get(name) for name in changed} }, and now it is "
            f"{ {name: now[name] for name in changed} }; give the same arguments as in training, "
            "or train again"
        )
        return True

    def _judge_anew(self, state: dict[str, torch.Tensor]) -> None:
        """Put the threshold for another overkill into weights that are about to be loaded."""
        judge = self.post_processor
        good = state.get("post_processor._good_scores", torch.empty(0))
        good = good[~torch.isnan(good)]
        if not len(good):
            return
        state["post_processor._image_threshold"].fill_(judge.threshold_of(good))
        state["post_processor._pixel_threshold"].fill_(float("nan"))
        judge.enable_threshold_matching = False  # else pixels are judged by the image's
        rank_zero_warn(
            f"images are judged at an overkill of {judge.overkill:g} by the {len(good)} scores of "
            "held-out good images in the checkpoint; of their pixels it has none, and no mask is "
            "predicted"
        )

    def configure_callbacks(self) -> Sequence[Callback]:
        """anomalib's components, and what writes the scores.

        Returns:
            The callbacks.
        """
        return [*super().configure_callbacks(), ScoreTable()]

    @staticmethod
    def configure_pre_processor(
        image_size: tuple[int, int] | None = None,
        channels: int = 1,
    ) -> PreProcessor:
        """Resize, make grey where asked, and scale to [-1, 1].

        Args:
            image_size: Height and width in pixels; None is 64 x 64.
            channels: 1 for grey, 3 for colour.

        Returns:
            The pre-processor.
        """
        return to_generator_range(image_size or (64, 64), channels)

    @staticmethod
    def configure_evaluator() -> Evaluator:
        """AUROC and F1 of images and pixels, right for raw scores.

        Returns:
            The evaluator.
        """
        return raw_score_evaluator()

    @classmethod
    def configure_visualizer(cls) -> Visualizer:
        """Strips of image, reconstruction, difference and heat map.

        Returns:
            The visualizer.
        """
        return ReconstructionVisualizer()

    @property
    def learning_type(self) -> LearningType:
        """Trained on good images only.

        Returns:
            ``LearningType.ONE_CLASS``.
        """
        return LearningType.ONE_CLASS

    @property
    def _scoring(self) -> ScoringModel:
        return cast(ScoringModel, self.model)


def _with_guesses(arguments: dict[str, Any]) -> dict[str, Any]:
    """Checkpoints from before there were several guesses do not say that theirs is one."""
    if isinstance(search := arguments.get("search"), dict):
        return {**arguments, "search": {"guesses": 1, **search}}
    return {"guesses": 1, **arguments}
