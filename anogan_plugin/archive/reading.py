# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From a shard to its images: read and decoded while earlier ones are scored."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NoReturn, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.zip import ZipFileSystem

from anogan_plugin.archive.damage import DAMAGED, Watched
from anogan_plugin.archive.names import from_bytes
from anogan_plugin.archive.shards import IMAGE_COLUMN, PATH_COLUMN, Images, Shard
from anogan_plugin.scoring.decoding import Decoder
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
        most_pixels: Largest height times width that is decoded, of an image and at a time.
    """

    def __init__(self, images: Images, most_pixels: int) -> None:
        self._images = images
        self._most_pixels = most_pixels
        self._decoder = Decoder(most_pixels)
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
        yield from _ahead(self._threads, partial(self._read, scorer), self._entries(shard))

    def _entries(self, shard: Shard) -> Iterable[Entry]:
        if shard.error:
            return [Entry(name, partial(_raise, shard.error)) for name in shard.names]
        return self._rows.entries(shard) if shard.file else map(self._file, shard.names)

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
            encoded = entry.load()
        except DAMAGED as error:
            return ReadImage(entry.name, None, str(error) or "it ends too early")
        except (OSError, RuntimeError) as error:
            if not _is_of_the_file(error, self._images):
                raise
            return ReadImage(entry.name, None, str(error))
        try:
            return ReadImage(entry.name, self._decoder.decode(encoded, entry.name, scorer), None)
        except ValueError as error:
            return ReadImage(entry.name, None, str(error))


def _is_of_the_file(error: Exception, images: Images) -> bool:
    if isinstance(error, OSError):
        # Of a disk, a part that is broken; of a network, one that may be back tomorrow.
        return isinstance(images.fs, LocalFileSystem)
    return isinstance(images.fs, ZipFileSystem)  # encrypted, or of an unknown compression


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
        first = 0
        with self._images.fs.open(self._images.path(file), "rb") as opened:
            watched = Watched(opened)
            parquet = pq.ParquetFile(watched, buffer_size=_BUFFER)
            for group in range(parquet.num_row_groups):
                until = first + parquet.metadata.row_group(group).num_rows
                reason = f"{file} has fewer rows than it says"
                try:
                    for entry in _of_group(parquet, group, file, first):
                        yield entry
                        first += 1
                except (OSError, pa.ArrowException) as error:
                    local = isinstance(self._images.fs, LocalFileSystem)
                    if watched.out_of_reach and not local:
                        raise
                    reason = f"{file} is damaged before this row: {error}"
                for number in range(first, until):
                    yield Entry(f"{file}#{number}", partial(_raise, reason))
                first = until


def _of_group(parquet: pq.ParquetFile, group: int, file: str, number: int) -> Iterator[Entry]:
    columns = sorted({IMAGE_COLUMN, PATH_COLUMN} & set(parquet.schema_arrow.names))
    for batch in parquet.iter_batches(_ROWS, row_groups=[group], columns=columns):
        images = batch.column(IMAGE_COLUMN)
        for row in range(batch.num_rows):
            yield Entry(_name(batch, row) or f"{file}#{number}", partial(_bytes, images[row]))
            number += 1


def _raise(reason: str) -> NoReturn:
    raise ValueError(reason)


def _name(batch: pa.RecordBatch, row: int) -> str:
    image = batch.column(IMAGE_COLUMN)
    if PATH_COLUMN in batch.schema.names:
        found = batch.column(PATH_COLUMN)[row]
    elif pa.types.is_struct(image.type) and PATH_COLUMN in image.type.names:
        found = image[row][PATH_COLUMN]
    else:
        return ""
    if not found.is_valid:
        return ""
    if isinstance(found, pa.BinaryScalar):  # text, too, in which a file may have any bytes
        return from_bytes(found.as_buffer().to_pybytes())
    return str(found.as_py())


def _bytes(image: pa.Scalar) -> bytes:
    if pa.types.is_struct(image.type) and "bytes" in image.type.names:
        image = image["bytes"]  # alone: the name beside it may be no UTF-8
    found = image.as_py()
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
