# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Rows of a shard: one per image, in the order of the images, whenever they are scored."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import torch

from anogan_plugin.archive.names import as_text
from anogan_plugin.archive.reading import ReadImage
from anogan_plugin.scoring.scorer import Scored

_STEPS = "steps"


class Rows:
    """Collects what is known of the images of a shard.

    Args:
        scored: Called with a number of images whenever so many more are done.
    """

    def __init__(self, scored: Callable[[int], None]) -> None:
        self._scored = scored
        self._names: list[str] = []
        self._errors: list[str | None] = []
        self._readable: list[int] = []
        self._parts: dict[str, dict[int, float]] = {}
        self._rejected: dict[int, bool] = {}

    def readable(self, images: Iterable[ReadImage]) -> Iterator[torch.Tensor]:
        """Note all images.

        Args:
            images: Of the shard.

        Yields:
            Those that can be scored.
        """
        for image in images:
            row = len(self._names)
            self._names.append(as_text(image.name))
            self._errors.append(None if image.error is None else as_text(image.error))
            if image.pixels is None:
                self._scored(1)
            else:
                self._readable.append(row)
                yield image.pixels

    def note(self, scored: Scored) -> None:
        """Note scores.

        Args:
            scored: Of images at these positions among the readable ones.
        """
        rows = [self._readable[position] for position in scored.index]
        for name, values in scored.parts.items():
            self._parts.setdefault(name, {}).update(zip(rows, values.tolist(), strict=True))
        if scored.rejected is not None:
            self._rejected.update(zip(rows, scored.rejected.tolist(), strict=True))
        self._scored(len(rows))

    @property
    def parts(self) -> list[str]:
        """Names of the score and its parts; none while nothing has been scored."""
        return list(self._parts)

    def table(self, parts: list[str]) -> pa.Table:
        """All rows.

        Args:
            parts: As :attr:`parts`, also where no image can be read.

        Returns:
            ``path``; ``score`` and its parts, null where the image can't be read; ``rejected``,
            null also where there is no threshold; ``error``, why it can't be read, else null.
        """
        rows = range(len(self._names))
        columns = {"path": pa.array(self._names, pa.string())}
        for name in parts:
            kind = pa.int64() if name == _STEPS else pa.float64()
            values = self._parts.get(name, {})
            columns[name] = pa.array([values.get(row) for row in rows], pa.float64()).cast(kind)
        columns["rejected"] = pa.array([self._rejected.get(row) for row in rows], pa.bool_())
        columns["error"] = pa.array(self._errors, pa.string())
        return pa.table(columns)
