# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scored batches on disk: a job that is killed while it scores goes on where it was."""

import contextlib
import shutil
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from anogan_plugin.files import write_atomically

_SECONDS = 30.0
"""Batches are written at the latest when one ends after this time: quick jobs write none."""
_ROW = "row."


@dataclass(frozen=True)
class ScoredBatch:
    """What a model says of a batch of B images.

    Args:
        split: ``held_out`` or ``test``.
        rows: Columns of the table of scores, ``(B,)`` each.
        seconds: That scoring took.
        pictures: Of a test batch what can be shown and measured of its images, by name, ``(B, …)``
            each; what the model or the data have not is not there. ``images`` and
            ``reconstructions`` are ``(B, 3, H, W)`` uint8, ``maps`` ``(B, H, W)`` float32 and
            ``masks`` bool, each at most 128 pixels high and wide; ``large_maps`` and
            ``large_masks`` at most 256.
    """

    split: str
    rows: dict[str, np.ndarray]
    seconds: float
    pictures: dict[str, np.ndarray] = field(default_factory=dict)


class SavedBatches:
    """The batches of one scoring, a file for each.

    Args:
        folder: For them; what is there of another scoring is removed.
        identity: Of the scoring: of all that scores depend on.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder / identity
        self._waiting: dict[int, ScoredBatch] = {}
        self._written = time.monotonic()
        for other in folder.glob("*"):
            if other != self._folder:
                shutil.rmtree(other)

    def load(self) -> list[ScoredBatch]:
        """Read what an earlier run has left.

        Returns:
            The batches from the first to the last before one is missing.
        """
        found: list[ScoredBatch] = []
        # A file that a loss of power has broken is one that is missing.
        with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            while True:
                found.append(_read(self._file(len(found))))
        return found

    def keep(self, index: int, batch: ScoredBatch) -> None:
        """Write a batch, now or with one of the next; a full disk loses it and nothing else.

        Args:
            index: Its place among all batches.
            batch: One with finite scores; others are scored again by the next run.
        """
        if not np.isfinite(batch.rows["score"]).all():
            return
        self._waiting[index] = batch
        if time.monotonic() - self._written < _SECONDS:
            return
        with contextlib.suppress(OSError):
            for number, each in self._waiting.items():
                _write(self._file(number), each)
        self._waiting, self._written = {}, time.monotonic()

    def _file(self, index: int) -> Path:
        return self._folder / f"{index:06d}.npz"


def _write(path: Path, batch: ScoredBatch) -> None:
    values: dict[str, Any] = {
        "split": np.array(batch.split),
        "seconds": np.array(batch.seconds),
        **{f"{_ROW}{name}": column for name, column in batch.rows.items()},
        **batch.pictures,
    }

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez(file, **values)

    write_atomically(path, write)


def _read(path: Path) -> ScoredBatch:
    with np.load(path) as file:
        values = dict(file)
    split, seconds = str(values.pop("split")), float(values.pop("seconds"))
    rows = {name: values.pop(name) for name in list(values) if name.startswith(_ROW)}
    named = {name.removeprefix(_ROW): column for name, column in rows.items()}
    return ScoredBatch(split, named, seconds, values)
