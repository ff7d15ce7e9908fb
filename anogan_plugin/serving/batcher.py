# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images of many requests in one model call, or in one latent search whose batch is kept full."""

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch

from anogan_plugin.scoring.scorer import Scored, Scorer


@dataclass(frozen=True)
class Verdict:
    """What is said of one image.

    Attributes:
        parts: Raw ``score`` first, then what it is made of.
        anomaly_map: ``(H, W)`` float32; None if none is drawn.
        rejected: None where there is no threshold.
        together: How many images ended together with this one.
    """

    parts: dict[str, float]
    anomaly_map: np.ndarray | None
    rejected: bool | None
    together: int


class Batcher:
    """A thread that scores whatever waits; images that come meanwhile are scored next.

    Nobody is waited for: an image that comes alone is scored alone. In a latent search an image
    takes the first place that is free, while the search of the others goes on. It scores with as
    many threads as the one that makes it.

    Args:
        scorer: Who scores.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._waiting: deque[_Taken] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._threads = torch.get_num_threads()
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether images are being scored."""
        return self._thread.is_alive()

    def submit(self, image: torch.Tensor) -> "Future[Verdict]":
        """Have an image scored.

        Args:
            image: What the scorer's ``prepare`` returned.

        Returns:
            Its verdict, or why there is none.
        """
        taken = _Taken(image, Future())
        taken.verdict.set_running_or_notify_cancel()  # who gives up waiting can't stop the others
        with self._change:
            self._waiting.append(taken)
            self._change.notify()
        return taken.verdict

    def close(self) -> None:
        """Score what has been taken, then end."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        # A new thread takes the number that any thread, as one that decodes, has set last.
        torch.set_num_threads(self._threads)
        while self._wait():
            arriving = _Arriving(self._waiting)
            try:
                for scored in self._scorer.stream(arriving):
                    for row, position in enumerate(scored.index):
                        arriving.begun.pop(position).set_result(_verdict(scored, row))
            except Exception as error:
                for verdict in arriving.begun.values():
                    verdict.set_exception(error)

    def _wait(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing)
            return bool(self._waiting)


@dataclass(frozen=True)
class _Taken:
    image: torch.Tensor
    verdict: "Future[Verdict]"


class _Arriving:
    """The images that wait, as a sequence that grows while it is read."""

    def __init__(self, waiting: deque[_Taken]) -> None:
        self._waiting = waiting
        self._read = 0
        self.begun: dict[int, Future[Verdict]] = {}

    def __len__(self) -> int:
        return self._read + len(self._waiting)

    def __getitem__(self, index: int) -> torch.Tensor:
        taken = self._waiting.popleft()
        self.begun[index] = taken.verdict
        self._read += 1
        return taken.image


def _verdict(scored: Scored, row: int) -> Verdict:
    return Verdict(
        {name: float(values[row]) for name, values in scored.parts.items()},
        None if scored.maps is None else scored.maps[row],
        None if scored.rejected is None else bool(scored.rejected[row]),
        len(scored.index),
    )
