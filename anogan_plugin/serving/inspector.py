# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From what a client has sent to what it is told: no HTTP, no files."""

import base64
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps

from anogan_plugin.data.image_io import encode_png
from anogan_plugin.processes import available_cores
from anogan_plugin.scoring.decoding import Decoder
from anogan_plugin.scoring.scorer import Scorer
from anogan_plugin.serving.batcher import Batcher, Verdict


class Inspector:
    """Decodes images, has them scored, and puts the verdict into words.

    Args:
        scorer: Who scores.
        most_pixels: Largest height times width of an image, and of all that are being decoded.
        threshold: Score above which an image is rejected; None for the scorer's own.
    """

    def __init__(self, scorer: Scorer, most_pixels: int, threshold: float | None = None) -> None:
        self._scorer = scorer
        self._decoder = Decoder(most_pixels)
        self._threshold = threshold
        self._threads = ThreadPoolExecutor(
            available_cores(), "decoding", torch.set_num_threads, (1,)
        )
        self._batcher = Batcher(scorer)
        # What is done once, as fitting the start of a search, is not done at somebody's cost.
        self.score(scorer.prepare(np.zeros((3, 64, 64), np.float32))).result()

    @property
    def alive(self) -> bool:
        """Whether images are being scored."""
        return self._batcher.alive

    def decode(self, encoded: bytes) -> "Future[torch.Tensor]":
        """Decode an image in a thread, of which there are as many as cores.

        Args:
            encoded: What is in its file.

        Returns:
            The image as it is scored; ValueError if it can't be.
        """
        return self._threads.submit(self._decoder.decode, encoded, "the image", self._scorer)

    def score(self, image: torch.Tensor) -> "Future[Verdict]":
        """Score an image together with those of others."""
        return self._batcher.submit(image)

    def answer(self, verdict: Verdict, with_map: bool) -> dict[str, Any]:
        """Put a verdict into words.

        Args:
            verdict: Of an image.
            with_map: Whether to draw the heat map.

        Returns:
            ``score``; ``label``, ``accepted`` or ``rejected``, None where there is no threshold;
            ``parts`` of the score; and, with a map, ``heat_map``, a PNG in base 64 of the model's
            image size, whose ``heat_map_range`` is from black to white-hot. None if none is drawn.
        """
        score, *_ = verdict.parts.values()
        rejected = verdict.rejected if self._threshold is None else score > self._threshold
        said = {
            "score": score,
            "label": None if rejected is None else "rejected" if rejected else "accepted",
            "parts": {name: value for name, value in verdict.parts.items() if name != "score"},
        }
        return {**said, **_drawn(verdict.anomaly_map)} if with_map else said

    def close(self) -> None:
        """Score what has been taken, then end."""
        self._threads.shutdown()
        self._batcher.close()


def _drawn(anomaly_map: np.ndarray | None) -> dict[str, Any]:
    if anomaly_map is None:
        return {"heat_map": None, "heat_map_range": None}
    low, high = float(anomaly_map.min()), float(anomaly_map.max())
    heat = (anomaly_map - low) / ((high - low) or 1.0)
    png = encode_png((colormaps["inferno"](heat)[..., :3] * 255).astype(np.uint8))
    return {"heat_map": base64.b64encode(png).decode("ascii"), "heat_map_range": [low, high]}
