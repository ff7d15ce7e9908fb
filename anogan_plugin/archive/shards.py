# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What there is to score, cut into shards: the same images give the same shards."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from anogan_plugin.archive.damage import DAMAGED, UnreadableParquetError, Watched
from anogan_plugin.data.image_io import IMAGE_SUFFIXES

IMAGE_COLUMN, PATH_COLUMN = "image", "path"
NOTES, SETTINGS = "_archive", "archive.json"
"""The folder beside scores, and the file in it by which scores are told from images."""
_PARQUET = ".parquet"


@dataclass(frozen=True)
class Shard:
    """Images whose rows are one file of the result: image files, or rows of a Parquet file.

    A Parquet file whose footer is damaged is one image, which can't be read: nobody knows how many
    there are in it.

    Attributes:
        count: How many images.
        names: Their files, from the folder that they are in; empty for rows.
        file: The Parquet file, from the folder that it is in; empty for image files.
        first: Its first row that belongs to the shard.
        size: Bytes of the files together, by which a change of them shows; 0 where not known.
        error: Why they can't be read, where that is known; else empty.
    """

    count: int
    names: list[str] = field(default_factory=list)
    file: str = ""
    first: int = 0
    size: int = 0
    error: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """All of it but the error, whose words are those of a version of pyarrow."""
        return {name: value for name, value in asdict(self).items() if name != "error"}


class Images:
    """An address of images, on this machine or anywhere that fsspec reaches.

    - A folder: all images below it, or all images in the Parquet files below it.
    - ``LIST.txt``: an image file on each line, in UTF-8, from the folder of the list or from the
      root. A line that is there again is not scored again.
    - ``FILE.parquet``: an image file in each row of the column ``image``, as bytes or as a struct
      with ``bytes``; its name is in the column ``path``, if there is one.

    Args:
        address: As ``parts/2026``, ``s3://bucket/parts`` or ``zip://::parts.zip``.
        output: Folder that scores go to, which must not be among them.

    Raises:
        ValueError: If there is nothing, or something else.
    """

    def __init__(self, address: str, output: Path | None = None) -> None:
        self.address = address
        self._output = None if output is None else os.path.realpath(output)
        try:
            self.fs, root = fsspec.core.url_to_fs(address)
            self._is_folder = self.fs.isdir(root)
            exists = self._is_folder or self.fs.exists(root)
        except Exception as error:  # each of fsspec's file systems has exceptions of its own
            raise ValueError(f"{address} can't be opened: {error}") from error
        self._is_local = isinstance(self.fs, LocalFileSystem)
        suffix = PurePosixPath(root).suffix.lower()
        if not exists or not (self._is_folder or suffix in (".txt", _PARQUET)):
            raise ValueError(
                f"expected a folder, LIST.txt or FILE.parquet that is there, found {address}"
            )
        self._root = root
        self._is_list = not self._is_folder and suffix == ".txt"
        self.folder = root if self._is_folder else str(PurePosixPath(root).parent)

    @property
    def local(self) -> Path | None:
        """Where it is on this machine; None if it is elsewhere."""
        return Path(self._root).resolve() if self._is_local else None

    def path(self, name: str) -> str:
        """Where a file is in the file system."""
        below = self.folder and not name.startswith("/")
        return f"{self.folder.rstrip('/')}/{name}" if below else name

    def shards(self, most: int) -> Iterator[Shard]:
        """Cut the images into shards, in an order that depends on their names alone.

        Memory grows with the largest folder or Parquet footer, not with the number of images.

        Args:
            most: Images in a shard; the last of each file or folder may have fewer.

        Yields:
            Every image in one shard.

        Raises:
            ValueError: If a folder has images and Parquet files, or scores, or a list is not in
                UTF-8, or a Parquet file has no images; if it can't be read and is the only one.
            OSError: If the images are not on this machine and can't be reached.
        """
        files = self._listed() if self._is_list else self._of_one_kind()
        while taken := list(islice(files, most)):
            if not self._is_list and _is_parquet(taken[0][0]):
                for name, size in taken:
                    yield from self._rows(name, size, most)
            else:
                names = [name for name, _ in taken]
                yield Shard(len(names), names, size=sum(size for _, size in taken))

    def _of_one_kind(self) -> Iterator[tuple[str, int]]:
        kinds: set[bool] = set()
        for name, size in self._found():
            kinds.add(_is_parquet(name))
            if len(kinds) > 1:
                raise ValueError(
                    f"{self.address} has images and Parquet files, expected one of them: name the "
                    "folder of the Parquet files, or list the images"
                )
            yield name, size

    def _found(self) -> Iterator[tuple[str, int]]:
        if not self._is_folder:
            yield PurePosixPath(self._root).name, self.fs.size(self._root)
            return
        yield from self._below(self._root, ())

    def _below(self, folder: str, above: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        """Images of a folder; through links, too, but not into a folder that it is in."""
        within = (*above, os.path.realpath(folder)) if self._is_local else ()
        if within and within[-1] in above:
            return
        entries: list[dict[str, Any]] = self.fs.ls(folder, detail=True)
        if self._are_scores(entries) or (within and within[-1] == self._output):
            raise ValueError(
                f"{folder} is a folder of scores, of this call or another, and inside --images "
                f"{self.address}; scores are Parquet files, which would be taken for images: move "
                "it, or the link to it, away from there"
            )
        for entry in sorted(entries, key=lambda entry: entry["name"]):
            path = PurePosixPath(entry["name"])
            if path.name.startswith("."):
                continue
            linked = entry.get("islink") and self._is_local
            if entry["type"] == "directory" or (linked and self.fs.isdir(entry["name"])):
                yield from self._below(entry["name"], within)
            elif path.suffix.lower() in {*IMAGE_SUFFIXES, _PARQUET}:
                yield entry["name"][len(self._root) :].lstrip("/"), entry["size"] or 0

    def _are_scores(self, entries: list[dict[str, Any]]) -> bool:
        """Whether a folder is one of scores, as one that a link leads to."""
        notes = [
            note
            for entry in entries
            if PurePosixPath(entry["name"]).name == NOTES and entry["type"] == "directory"
            for note in self.fs.ls(entry["name"], detail=False)
        ]
        return any(PurePosixPath(note).name == SETTINGS for note in notes)

    def _listed(self) -> Iterator[tuple[str, int]]:
        with tempfile.TemporaryDirectory() as folder, self.fs.open(self._root, "rb") as lines:
            # On disk: what was listed need not fit in memory.
            seen = sqlite3.connect(Path(folder) / "seen", isolation_level=None)
            seen.execute("PRAGMA synchronous = OFF")
            seen.execute("PRAGMA journal_mode = OFF")
            seen.execute("CREATE TABLE seen (name TEXT PRIMARY KEY) WITHOUT ROWID")
            for number, line in enumerate(lines, start=1):
                name = self._listed_name(line, number)
                if name and seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,)).rowcount:
                    yield name, 0
            seen.close()

    def _listed_name(self, line: bytes, number: int) -> str:
        try:
            # Editors on Windows begin a file with a mark, which is no part of the name.
            name = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self.address}, line {number}: expected UTF-8, found the byte "
                f"0x{line[error.start]:02x}: convert the list, as by iconv -f latin1 -t utf-8"
            ) from error
        # "./x" and "x" are one file; elsewhere than on a disk "a//x" may be another than "a/x".
        return str(PurePosixPath(name)) if name and self._is_local else name

    def _rows(self, name: str, size: int, most: int) -> Iterator[Shard]:
        try:
            columns, rows = self._footer(name)
        except UnreadableParquetError as error:
            if not self._is_folder:
                raise
            yield Shard(1, [name], size=size, error=str(error))
            return
        if IMAGE_COLUMN not in columns:
            raise ValueError(
                f"{name} has the columns {columns}, expected one called {IMAGE_COLUMN!r} of image "
                "files (binary, or a struct with bytes)"
            )
        for first in range(0, rows, most):
            yield Shard(min(most, rows - first), file=name, first=first, size=size)

    def _footer(self, name: str) -> tuple[list[str], int]:
        """The columns of a Parquet file, and how many rows it has."""
        try:
            with self.fs.open(self.path(name), "rb") as opened:
                watched = Watched(opened)
                try:
                    return _columns_and_rows(pq.ParquetFile(watched))
                # What pyarrow raises depends on where the footer is damaged.
                except (OSError, pa.ArrowException) as error:
                    if watched.out_of_reach and not self._is_local:
                        raise
                    raise ValueError(error) from error
        except DAMAGED as error:
            # Refused or gone elsewhere, by an expired token say: its rows are not to be given up.
            if isinstance(error, OSError) and not self._is_local:
                raise
            reason = f"{name} can't be read as Parquet: {error}; how many rows it had is not known"
            raise UnreadableParquetError(reason) from error


def _columns_and_rows(parquet: pq.ParquetFile) -> tuple[list[str], int]:
    footer = parquet.metadata
    rows = sum(footer.row_group(group).num_rows for group in range(footer.num_row_groups))
    if rows != footer.num_rows:
        raise ValueError(f"its footer has {footer.num_rows} rows, and groups of {rows} together")
    return parquet.schema_arrow.names, rows


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(_PARQUET)
