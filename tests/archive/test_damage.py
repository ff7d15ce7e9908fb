# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Damaged archives and odd names: a row for each image all the same."""

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFile

from anogan_plugin.archive.reading import ShardReader
from anogan_plugin.archive.shards import Images
from tests.archive.small import (
    Mean,
    arguments,
    brightness,
    grey,
    read,
    rows,
    score_here,
    write_images,
    write_parquet,
)


def _damage(archive: Path, member: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo(member)
    content = bytearray(archive.read_bytes())
    begin = info.header_offset + 30 + len(member)
    content[begin : begin + info.compress_size] = b"\xff" * info.compress_size
    archive.write_bytes(content)


def _encrypt(archive: Path, member: str) -> None:
    """Have a member said to be encrypted, in both of its heads."""
    content = bytearray(archive.read_bytes())
    for signature, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        begin = content.find(signature)
        while content[begin + name : begin + name + len(member)] != member.encode():
            begin = content.find(signature, begin + 1)
        struct.pack_into("<H", content, begin + flags, 1)
    archive.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason"), [(_damage, "decompressing"), (_encrypt, "b.png' is encrypted")]
)
def test_a_spoilt_member_of_a_zip_is_a_row(
    spoil: Callable[[Path, str], None], reason: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "parts.zip", "w", zipfile.ZIP_DEFLATED) as parts:
        for level, name in enumerate("abc"):
            parts.writestr(f"{name}.png", grey(level))
    spoil(tmp_path / "parts.zip", "b.png")
    found = read(f"zip://::{tmp_path}/parts.zip")
    assert [image.name for image in found] == ["a.png", "b.png", "c.png"]
    assert [image.error is None for image in found] == [True, False, True]
    assert reason in str(found[1].error)


def _spoil_group(file: Path, group: int) -> None:
    column = pq.read_metadata(file).row_group(group).column(0)
    content = bytearray(file.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    content[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(content)


@pytest.mark.parametrize("where", ["disk", "memory"])
def test_rows_after_a_damaged_page_are_there_and_later_pages_are_read(
    where: str, tmp_path: Path
) -> None:
    file = write_parquet(tmp_path / "a.parquet", [grey(level) for level in range(12)], 4)
    _spoil_group(file, 1)
    address = str(file)
    if where == "memory":
        address = "memory://damaged/a.parquet"
        fsspec.filesystem("memory").pipe("/damaged/a.parquet", file.read_bytes())
    for most in (3, 5, 12):
        found = read(address, most)
        assert [image.name for image in found] == [f"a.parquet#{row}" for row in range(12)]
        assert [image.error is None for image in found] == [not 4 <= row < 8 for row in range(12)]
        assert "a.parquet is damaged" in str(found[4].error)
        assert found[8].pixels == pytest.approx(8 / 255)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def _overwrite(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-400:-8] = b"\xff" * 392
    file.write_bytes(content)


def _miscount(file: Path) -> None:
    """Have the footer say 13 rows: after the field's type, Thrift has twice the number."""
    content = file.read_bytes()
    assert content.count(b"\x16\x18\x19") == 1
    file.write_bytes(content.replace(b"\x16\x18\x19", b"\x16\x1a\x19"))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_cut, "magic bytes not found"),
        (_overwrite, "deserialize thrift"),
        (_miscount, "its footer has 13 rows, and groups of 12 together"),
        (Path.unlink, "No such file"),
    ],
)
def test_a_file_with_a_damaged_footer_is_a_row_and_the_others_are_read(
    spoil: Callable[[Path], None], reason: str, tmp_path: Path, checkpoint: Path
) -> None:
    (folder := tmp_path / "images").mkdir()
    for name in "abc":
        write_parquet(tmp_path / f"{name}.parquet", [grey(level) for level in range(12)], 4)
        (folder / f"{name}.parquet").symlink_to(tmp_path / f"{name}.parquet")
    spoil(tmp_path / "b.parquet")
    command = arguments(folder, checkpoint, tmp_path / "out")
    ended = score_here(command)
    assert ended.code == 0, ended.said
    assert "1 of them can't be read" in ended.said
    table = rows(tmp_path / "out")
    expected = [f"{name}.parquet#{row}" for name in "ac" for row in range(12)]
    expected.insert(12, "b.parquet")
    assert table.path.tolist() == expected
    unread = table[table.error.notna()]
    assert unread.path.tolist() == ["b.parquet"]
    assert "b.parquet can't be read as Parquet: " in unread.error.item()
    assert reason in unread.error.item()
    assert "25 of 25 images were scored before" in score_here(command).said


class _Gone(MemoryFile):
    """A file of a store whose first bytes can't be reached."""

    lost = 100
    error: type[OSError] = OSError

    def read(self, size: int = -1) -> bytes:
        if self.tell() < self.lost:
            raise self.error("no network")
        return super().read(size)


class _AllGone(_Gone):
    lost = 1 << 30


def test_a_store_out_of_reach_stops_it_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_parquet(tmp_path / "a.parquet", [grey(level) for level in range(12)], 4)
    memory = fsspec.filesystem("memory")
    memory.pipe("/gone/a.parquet", file.read_bytes())
    images = Images("memory://gone")
    (shard,) = images.shards(12)

    def lose(kind: type[_Gone]) -> None:
        monkeypatch.setattr(
            images.fs, "open", lambda path, mode: kind(memory, path, file.read_bytes())
        )

    lose(_Gone)  # the first page, where the footer can still be read
    with pytest.raises(OSError, match="no network"):
        list(ShardReader(images, 10_000).read(shard, Mean()))
    lose(_AllGone)
    for error in (OSError, PermissionError, FileNotFoundError):
        monkeypatch.setattr(_Gone, "error", error)
        with pytest.raises(OSError, match="no network"):
            list(images.shards(12))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (pa.array([7, 0, None]), ["7", "0", "a.parquet#2"]),
        (pa.array([b"x", b"caf\xe9", b""]), ["x", "caf\udce9", "a.parquet#2"]),
        (
            pa.array([b"x", b"caf\xe9", None]).view(pa.string()),
            ["x", "caf\udce9", "a.parquet#2"],
        ),
    ],
    ids=["numbers", "bytes", "text that is none"],
)
def test_names_of_any_type_are_names(paths: Any, names: list[str], tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "a.parquet", [grey(9)] * 3, 3, path=paths)
    assert [image.name for image in read(file)] == names
    structs = pa.StructArray.from_arrays([pa.array([grey(9)] * 3), paths], ["bytes", "path"])
    nested = write_parquet(tmp_path / "a.parquet", structs, 3)
    assert [(image.name, image.error) for image in read(nested)] == [(name, None) for name in names]


def test_all_of_it_at_once_ends_with_a_row_for_each(tmp_path: Path, checkpoint: Path) -> None:
    file = write_parquet(
        tmp_path / "a.parquet", [grey(level) for level in range(12)], 4, path=list(range(12))
    )
    _spoil_group(file, 1)
    ended = score_here(arguments(file, checkpoint, tmp_path / "out"))
    assert ended.code == 0, ended.said
    table = rows(tmp_path / "out")
    names = [f"a.parquet#{row}" if 4 <= row < 8 else str(row) for row in range(12)]
    assert table.path.tolist() == names
    assert table.error.notna().tolist() == [4 <= row < 8 for row in range(12)]


def test_a_name_that_is_not_utf8_is_opened_and_noted(tmp_path: Path, checkpoint: Path) -> None:
    folder = write_images(tmp_path / "images", [51])
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(grey(102))
    Path(os.fsdecode(os.fsencode(folder) + b"/cut\xe9.png")).write_bytes(grey(102)[:-20])
    command = arguments(folder, checkpoint, tmp_path / "out")
    ended = score_here(command)
    assert ended.code == 0, ended.said
    table: pd.DataFrame = rows(tmp_path / "out")
    assert table.path.tolist() == ["00000.png", "caf\\xe9.png", "cut\\xe9.png"]
    np.testing.assert_allclose(table.score[:2], brightness([51, 102]), rtol=1e-6)
    assert table.error[2].startswith("cut\\xe9.png is not an image")
    assert "3 of 3 images were scored before" in score_here(command).said
