# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From a shard to its images: read and decoded while earlier ones are scored."""

import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from fsspec.implementations.local import LocalFileSystem

from anogan_plugin.archive.shards import IMAGE_COLUMN, PATH_COLUMN, Images, Shard
from anogan_plugin.data.image_io import decode_whole_pixels, to_unit_range
from anogan_plugin.scoring.scorer import Scorer

_THREADS = 4
_AHEAD = 64
"""Images that are read or decoded before they are needed."""
_ROWS, _BUFFER = 64, 1 << 20
_BYTES_PER_PIXEL = 8
"""More than any image of 8 or 16 bits takes, compressed or not."""
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Entry:
    """An image of a shard.

    Attributes:
        name: What its row is called.
        load: Gives what is in its file.
    """

    name: str
    load: Callable[[], bytes]


@dataclass(frozen=True)
class ReadImage:
    """An image that was read.

    Attributes:
        name: What its row is called.
        pixels: As a scorer takes it; None if it can't be read.
        error: Why not; None if it can.
    """

    name: str
    pixels: torch.Tensor | None
    error: str | None


class ShardReader:
    """Reads the images of shards.

    Args:
        images: Where they are.
        most_pixels: Largest height times width that is decoded.
    """

    def __init__(self, images: Images, most_pixels: int) -> None:
        self._images = images
        self._most_pixels = most_pixels
        self._rows = _ParquetRows(images)
        self._threads = ThreadPoolExecutor(
            _THREADS, initializer=torch.set_num_threads, initargs=(1,)
        )

    def read(self, shard: Shard, scorer: Scorer) -> Iterator[ReadImage]:
        """Read, decode and prepare the images of a shard.

        Args:
            shard: The shard.
            scorer: Who will score them.

        Yields:
            All of them, in their order.

        Raises:
            OSError: If they are not on this machine and can't be reached.
        """
        entries = self._rows.entries(shard) if shard.file else map(self._file, shard.names)
        yield from _ahead(self._threads, partial(self._read, scorer), entries)

    def _file(self, name: str) -> Entry:
        return Entry(name, partial(self._load, name))

    def _load(self, name: str) -> bytes:
        most = _BYTES_PER_PIXEL * self._most_pixels
        with self._images.fs.open(self._images.path(name), "rb") as file:
            encoded = file.read(most + 1)
        if len(encoded) > most:
            raise ValueError(f"{name} has more than {most:,} bytes, more than an image can need")
        return encoded

    def _read(self, scorer: Scorer, entry: Entry) -> ReadImage:
        try:
            pixels = decode_whole_pixels(entry.load(), entry.name, self._most_pixels)
            return ReadImage(entry.name, scorer.prepare(to_unit_range(pixels)), None)
        except (ValueError, FileNotFoundError, PermissionError, zipfile.BadZipFile) as error:
            return ReadImage(entry.name, None, str(error))
        except OSError as error:
            # Of a disk, a part that is broken; of a network, one that may be back tomorrow.
            if not isinstance(self._images.fs, LocalFileSystem):
                raise
            return ReadImage(entry.name, None, str(error))


class _ParquetRows:
    """Rows of Parquet files; those of a later shard are read on from where the last one ended."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._file, self._position = "", 0
        self._rows: Iterator[Entry] = iter(())

    def entries(self, shard: Shard) -> Iterator[Entry]:
        if self._file != shard.file or self._position > shard.first:
            self._rows, self._position = self._all(shard.file), 0
        self._file = ""  # until all have been taken
        skipped = shard.first - self._position
        yield from islice(self._rows, skipped, skipped + shard.count)
        self._file, self._position = shard.file, shard.first + shard.count

    def _all(self, file: str) -> Iterator[Entry]:
        number = 0
        with self._images.fs.open(self._images.path(file), "rb") as opened:
            parquet = pq.ParquetFile(opened, buffer_size=_BUFFER)
            columns = {IMAGE_COLUMN, PATH_COLUMN} & set(parquet.schema_arrow.names)
            for batch in parquet.iter_batches(_ROWS, columns=sorted(columns)):
                images = batch.column(IMAGE_COLUMN)
                for row in range(batch.num_rows):
                    name = _name(batch, row) or f"{file}#{number}"
                    yield Entry(name, partial(_bytes, images[row]))
                    number += 1


def _name(batch: pa.RecordBatch, row: int) -> str | None:
    image = batch.column(IMAGE_COLUMN)
    if PATH_COLUMN in batch.schema.names:
        return batch.column(PATH_COLUMN)[row].as_py()
    if pa.types.is_struct(image.type) and PATH_COLUMN in image.type.names:
        return image[row][PATH_COLUMN].as_py()
    return None


def _bytes(image: pa.Scalar) -> bytes:
    found = image.as_py()
    if isinstance(found, dict):
        found = found.get("bytes")
    if not isinstance(found, bytes):
        raise ValueError("there is no image in the row")
    return found


def _ahead(
    threads: ThreadPoolExecutor, make: Callable[[_Item], _Made], items: Iterable[_Item]
) -> Iterator[_Made]:
    """Make something of each item in threads, a bounded number of them ahead, in their order."""
    running: deque[Future[_Made]] = deque()
    for item in items:
        running.append(threads.submit(make, item))
        if len(running) > _AHEAD:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
