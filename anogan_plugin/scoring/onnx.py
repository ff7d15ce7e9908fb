# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""An exported ONNX file as a scorer; needs ``pip install '.[serve]'``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.transforms.v2.functional import resize

from anogan_plugin.latent_search import ImageSource
from anogan_plugin.scoring.scorer import Scored, Scorer, check_finite
from anogan_plugin.scoring.sequence import batches

_BATCH = 32
_OUTPUTS = ("pred_score", "pred_label", "anomaly_map")


class OnnxScorer(Scorer):
    """Scores as the file does; a score may have been scaled when it was exported.

    Args:
        path: What ``anomalib export --export_type onnx`` has left: one input ``(N, 3, H, W)`` of
            float32 in [0, 1], an output ``pred_score`` and, where there are any, ``pred_label`` and
            ``anomaly_map``.

    Raises:
        ValueError: If onnxruntime is not installed, or the file is not such a file.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            msg = (
                "an .onnx file needs onnxruntime: pip install '.[serve]' in a checkout of "
                "anogan_plugin"
            )
            raise ValueError(msg) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(path, options)
        except Exception as error:  # onnxruntime has an exception of its own for each status
            raise ValueError(f"{path} can't be read as ONNX: {error}") from error
        inputs = self._session.get_inputs()
        outputs = [output.name for output in self._session.get_outputs()]
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or _OUTPUTS[0] not in outputs:
            raise ValueError(
                f"{path} has the inputs {[(i.name, i.shape) for i in inputs]} and the outputs "
                f"{outputs}, expected one input (N, 3, H, W) and an output pred_score, as anomalib "
                "exports them"
            )
        self._input = inputs[0].name
        self._outputs = [name for name in _OUTPUTS if name in outputs]
        count, _, *size = inputs[0].shape  # a name stands for any number
        self._batch = count if isinstance(count, int) else _BATCH
        self._filled = isinstance(count, int)
        self._size = size if all(isinstance(side, int) for side in size) else None

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        """See :meth:`Scorer.prepare`."""
        pixels = torch.from_numpy(image)
        return pixels if self._size is None else resize(pixels, self._size, antialias=True)

    def stream(self, images: ImageSource) -> Iterator[Scored]:
        """See :meth:`Scorer.stream`."""
        for index, batch in batches(images, self._batch):
            given = batch.numpy()
            if self._filled:  # the file takes so many images and no other number
                given = np.resize(given, (self._batch, *given.shape[1:]))
            found = self._session.run(self._outputs, {self._input: given})
            values = [value[: len(index)] for value in found]
            yield self._scored(index, dict(zip(self._outputs, values, strict=True)))

    def _scored(self, index: list[int], values: dict[str, Any]) -> Scored:
        score = values["pred_score"].astype(np.float64).reshape(len(index))
        check_finite(score)
        maps, labels = values.get("anomaly_map"), values.get("pred_label")
        return Scored(
            index,
            {"score": score},
            None if maps is None else maps.astype(np.float32).reshape(-1, *maps.shape[-2:]),
            None if labels is None else labels.astype(bool).reshape(len(index)),
        )
