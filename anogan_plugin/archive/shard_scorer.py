# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores shards: what each of many processes does, on this machine or another."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.archive.reading import ShardReader
from anogan_plugin.archive.rows import Rows
from anogan_plugin.archive.shards import Images
from anogan_plugin.scoring.sequence import Lookahead
from anogan_plugin.scoring.source import ScorerSource

_AHEAD = 64
"""Prepared images that wait for a place in the batch."""


@dataclass(frozen=True)
class Task:
    """What is to be done with an archive, in plain values.

    Args:
        images: Address of the images.
        output: Folder of the scores.
        source: What to score with.
        most_pixels: Largest height times width of an image.
    """

    images: str
    output: Path
    source: ScorerSource
    most_pixels: int


class ShardScorer:
    """Scores shards by their numbers.

    Args:
        task: What is to be done.
        device: ``cpu``, or ``cuda:0`` and so on.
        scored: Called with a number of images whenever so many more are done.
    """

    def __init__(self, task: Task, device: str, scored: Callable[[int], None]) -> None:
        self._folder = ScoresFolder(task.output)
        self._reader = ShardReader(Images(task.images), task.most_pixels)
        self._scorer = task.source.open(device)
        self._scored = scored

    def score(self, number: int) -> None:
        """Score a shard and write its file, unless it is there.

        Args:
            number: Which.

        Raises:
            ValueError: If a score is not a number.
            OSError: If the images can't be reached or the scores not be written.
        """
        if self._folder.has(number):  # a node that was lost had written it
            return
        rows = Rows(self._scored)
        shard = self._folder.shard(number)
        images = Lookahead(rows.readable(self._reader.read(shard, self._scorer)), _AHEAD)
        if len(images):
            for scored in self._scorer.stream(images):
                rows.note(scored)
        self._folder.write(number, rows.table(rows.parts or self._parts))

    @cached_property
    def _parts(self) -> list[str]:
        # All files have the same columns, also one of images none of which can be read.
        black = self._scorer.prepare(np.zeros((3, 64, 64), np.float32))
        return list(next(self._scorer.stream(black[None])).parts)
