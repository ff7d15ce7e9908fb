# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Any model of anomalib with trained weights, as a scorer."""

import contextlib
import logging
import pickle
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anomalib.data import ImageBatch, InferenceBatch
from anomalib.engine import Engine
from anomalib.models import AnomalibModule
from anomalib.utils.serialization import anomalib_safe_globals
from torch.utils.data import DataLoader

from anogan_plugin.latent_search import ImageSource
from anogan_plugin.models.components.image_scoring import CLASS_NAME, ImageScoring
from anogan_plugin.models.components.searched_gan import SearchedGan
from anogan_plugin.scoring.scorer import Scored, Scorer, as_numbers, check_finite, score_parts
from anogan_plugin.scoring.sequence import batches

_BATCH = 32


@dataclass(frozen=True)
class Trained:
    """What a checkpoint says of its model.

    Args:
        name: Name of the model's class; empty if it says none, as those of anomalib's own models.
        arguments: What the model was built with.
    """

    name: str
    arguments: dict[str, Any]


def read_trained(checkpoint: Path, cls: type[AnomalibModule] | None = None) -> Trained:
    """Read of which model a checkpoint is; no code that the file may hold is run.

    Args:
        checkpoint: What ``anomalib train`` has left.
        cls: The model's class, where it is known.

    Returns:
        What it says.

    Raises:
        ValueError: If it is no checkpoint, or holds more than weights and plain values.
    """
    expected = "expected a checkpoint that `anomalib train` has left, or an .onnx file, found"
    if not checkpoint.is_file():
        raise ValueError(
            f"{expected} no file {checkpoint}: give the path that the training printed"
        )
    try:
        with anomalib_safe_globals(cls.checkpoint_safe_globals() if cls else ()):
            found = torch.load(checkpoint, "cpu", weights_only=True, mmap=True)
        name, arguments = found.get(CLASS_NAME), dict(found["hyper_parameters"])
        # A dotted name would be imported: what runs is not for the file to say.
        named = isinstance(name, str) and name.isidentifier()
        return Trained(name if named else "", arguments)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{expected} in {checkpoint} more than weights and plain values, which could run code "
            "when it is loaded: give the training's model.ckpt, and, if it is of a model of "
            "anomalib's own, --model; or, of exports, what --export_type onnx makes"
        ) from error
    except Exception as error:  # torch fails in many ways on files of others
        raise ValueError(
            f"{expected} {checkpoint}, which is neither ({type(error).__name__}): give the "
            "training's model.ckpt, or, of exports, what --export_type onnx makes"
        ) from error


def load_weights(model: AnomalibModule, checkpoint: Path, device: str) -> AnomalibModule:
    """Load trained weights and thresholds.

    Args:
        model: As it was trained.
        checkpoint: What ``anomalib train`` has left.
        device: ``cpu``, or ``cuda:0`` and so on.

    Returns:
        The model, on the device and in eval mode.
    """
    model.evaluator = model.visualizer = None
    # Lightning loads the weights: it knows what each model needs for that.
    with _without_notes(), tempfile.TemporaryDirectory() as folder:
        engine = Engine(
            accelerator="cpu",
            logger=False,
            default_root_dir=folder,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_test_batches=0,
        )
        nothing: Any = []
        engine.test(model, dataloaders=DataLoader(nothing), ckpt_path=checkpoint, verbose=False)
    return model.to(device).eval()


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Leave out what Lightning says of every checkpoint; warnings of the model remain."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The dirpath has changed")
            yield
    finally:
        logging.disable(disabled)


class CheckpointScorer(Scorer):
    """Scores as ``anomalib test`` does, before any scaling or clamping.

    Where a model searches a latent space, all images take part in one search, whose batch is kept
    full; other models score 32 at a time.

    Args:
        model: A model with its weights: see :func:`load_weights`.

    Raises:
        ValueError: If its image score is learnt from good images, and it has not seen any.
    """

    def __init__(self, model: AnomalibModule) -> None:
        if isinstance(model, ImageScoring):
            model.check_fitted()
        self._model = model

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        """See :meth:`Scorer.prepare`."""
        transform = getattr(self._model.pre_processor, "transform", None)
        pixels = torch.from_numpy(image)
        return pixels if transform is None else transform(pixels)

    def stream(self, images: ImageSource) -> Iterator[Scored]:
        """See :meth:`Scorer.stream`."""
        network: Any = self._model.model
        if isinstance(network, SearchedGan) and network.search.steps > 0:
            for ended, scores in network.stream(images):
                parts = {"score": scores.pred_score, **scores.parts}
                yield self._scored(ended.tolist(), parts, scores.anomaly_map)
        else:
            for index, batch in batches(images, _BATCH):
                yield self._scored(index, *self._score(batch))

    @torch.inference_mode()
    def _score(self, images: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        batch: Any = ImageBatch(image=images.to(self._model.device))
        scored: Any = self._model.test_step(batch, 0)
        return score_parts(scored), scored.anomaly_map

    def _scored(
        self, index: list[int], parts: dict[str, torch.Tensor], maps: torch.Tensor | None
    ) -> Scored:
        numbers = {name: as_numbers(values) for name, values in parts.items()}
        check_finite(numbers["score"])
        return Scored(
            index,
            numbers,
            None if maps is None else maps.float().cpu().numpy().reshape(-1, *maps.shape[-2:]),
            self._rejected(parts["score"]),
        )

    @property
    def judges(self) -> bool:
        """Whether it accepts and rejects images: whether there is a threshold."""
        judge: Any = self._model.post_processor
        # Without one anomalib's would hand out labels all the same.
        return judge is not None and not bool(torch.isnan(judge.image_threshold))

    def _rejected(self, score: torch.Tensor) -> np.ndarray | None:
        if not self.judges:
            return None
        judge: Any = self._model.post_processor
        label = judge(InferenceBatch(pred_score=score.flatten())).pred_label
        return None if label is None else label.bool().cpu().numpy()
