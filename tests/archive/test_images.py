# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is scored: folders, lists, Parquet, here and elsewhere; what can't be read is a row, too."""

import zipfile
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from anogan_plugin.archive.reading import ShardReader
from anogan_plugin.archive.shards import Images, Shard
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


def shards(address: Path | str, most: int = 3) -> list[Shard]:
    return list(Images(str(address)).shards(most))


def names(address: Path | str) -> list[str]:
    return [name for shard in shards(address) for name in shard.names]


def test_folder_is_cut_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.JPG", "a.png", "c/d/e.tif", ".hidden/x.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    found = shards(tmp_path)
    assert found == [
        Shard(3, ["a.png", "b/10.JPG", "b/2.png"], size=15),
        Shard(1, ["c/d/e.tif"], size=5),
    ]


def test_list_is_read_from_its_folder_and_each_image_once(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("b.png\nsub/a.png\n\n b.png \nc d.png\nsub/a.png\n")
    assert names(listed) == ["b.png", "sub/a.png", "c d.png"]
    assert Images(str(listed)).path("sub/a.png") == str(tmp_path / "sub/a.png")
    assert Images(str(listed)).path("/elsewhere/a.png") == "/elsewhere/a.png"


def test_one_file_in_two_spellings_is_scored_once(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("b.png\n./b.png\nsub//./a.png\nsub/a.png\n../a.png\n")
    assert names(listed) == ["b.png", "sub/a.png", "../a.png"]
    memory = fsspec.filesystem("memory")
    memory.pipe("/spelt/list.txt", b"a//b.png\na/b.png\n")  # two, in a store
    assert names("memory://spelt/list.txt") == ["a//b.png", "a/b.png"]


def test_list_is_in_utf8_whoever_wrote_it(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes("é.png\nb.png\n".encode("utf-8-sig"))
    assert names(listed) == ["é.png", "b.png"]
    listed.write_bytes("b.png\né.png\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"list.txt, line 2: expected UTF-8, found the byte 0xe9"):
        names(listed)


def test_links_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [1])
    write_images(tmp_path / "elsewhere", [2])
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "self").symlink_to(folder)
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    (folder / "00001.png").symlink_to(folder / "00000.png")
    assert names(folder) == ["00000.png", "00001.png", "linked/00000.png"]


def test_images_in_a_folder_named_as_the_notes_of_scores_are_images(tmp_path: Path) -> None:
    write_images(tmp_path / "_archive", [1])
    assert names(tmp_path) == ["_archive/00000.png"]


def test_parquet_files_are_cut_by_rows(tmp_path: Path) -> None:
    images = [grey(0)] * 7
    write_parquet(tmp_path / "b.parquet", images, 2)
    write_parquet(tmp_path / "a.parquet", images[:2], 2)
    cut = [(shard.file, shard.first, shard.count) for shard in shards(tmp_path)]
    assert cut == [
        ("a.parquet", 0, 2),
        ("b.parquet", 0, 3),
        ("b.parquet", 3, 3),
        ("b.parquet", 6, 1),
    ]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "nowhere", "folder, LIST.txt or FILE.parquet that is there"),
        (lambda folder: write_images(folder, [1]) / "00000.png", "expected a folder, LIST.txt"),
        (lambda folder: "nosuchscheme://x", "can't be opened"),
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, make, reason: str) -> None:  # noqa: ANN001
    with pytest.raises(ValueError, match=reason):
        shards(make(tmp_path))


def test_parquet_without_images_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"picture": [b""]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a.parquet has the columns \['picture'\], expected one"):
        shards(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ValueError, match=r"a.parquet can't be read as Parquet"):
        shards(tmp_path / "a.parquet")


def test_images_beside_parquet_files_are_refused(tmp_path: Path) -> None:
    write_parquet(write_images(tmp_path, [1]) / "a.parquet", [grey(0)], 1)
    with pytest.raises(ValueError, match="has images and Parquet files"):
        shards(tmp_path)


def test_rows_of_parquet_have_the_names_that_it_gives(tmp_path: Path) -> None:
    levels = [0, 51, 102, 153, 204]
    plain = write_parquet(tmp_path / "plain.parquet", [grey(level) for level in levels], 2)
    paths = [f"line/{level}" for level in levels]
    named = write_parquet(
        tmp_path / "named.parquet", [grey(level) for level in levels], 5, path=paths
    )
    structs = [
        {"bytes": grey(level), "path": name} for level, name in zip(levels, paths, strict=True)
    ]
    nested = write_parquet(tmp_path / "nested.parquet", structs, 3)
    means = pytest.approx([level / 255 for level in levels])
    for file, expected in (
        (plain, [f"plain.parquet#{row}" for row in range(5)]),
        (named, paths),
        (nested, paths),
    ):
        for most in (1, 2, 5):
            found = read(file, most)
            assert [image.name for image in found] == expected
            assert [image.pixels for image in found] == means


def test_rows_are_found_whatever_shard_comes_next(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "a.parquet", [grey(level) for level in range(12)], 5)
    images = Images(str(file))
    reader = ShardReader(images, most_pixels=10_000)
    cut = list(images.shards(2))
    for number in (3, 5, 1, 1, 0, 4):
        found = [image.pixels for image in reader.read(cut[number], Mean())]
        assert found == pytest.approx([2 * number / 255, (2 * number + 1) / 255])


def named(address: str) -> list[tuple[str, Any]]:
    return [(image.name, image.pixels) for image in read(address, 10)]


def test_memory_and_zip_are_addresses_like_others(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as parts:
        for level in (51, 102):
            memory.pipe(f"/parts/sub/{level}.png", grey(level))
            parts.writestr(f"sub/{level}.png", grey(level))
    expected = [("sub/102.png", pytest.approx(0.4)), ("sub/51.png", pytest.approx(0.2))]
    try:
        assert named("memory://parts") == expected
        assert named(f"zip://::{tmp_path}/parts.zip") == expected
    finally:
        memory.rm("/parts", recursive=True)


def test_what_cant_be_read_is_a_row_with_its_reason(tmp_path: Path, checkpoint: Path) -> None:
    folder = write_images(tmp_path / "images", range(25))
    whole = grey(200, side=64)
    (folder / "00003.png").write_bytes(whole[:-30])
    (folder / "00004.png").write_bytes(b"")
    (folder / "00011.jpg").write_bytes(b"<html>")
    Image.new("1", (3000, 3000)).save(folder / "00012.png")  # 1.1 kB
    (folder / "00013.png").unlink()
    (folder / "00013.png").symlink_to("nothing.png")
    (folder / "list.txt").write_text("\n".join(f"{i:05}.png" for i in range(25)) + "\n00011.jpg")
    command = arguments(folder / "list.txt", checkpoint, tmp_path / "out", "--max_pixels", "100000")
    ended = score_here(command)
    assert ended.code == 0, ended.said
    assert "5 of them can't be read" in ended.said
    table = rows(tmp_path / "out").set_index("path")
    assert len(table) == 26
    lost = table[table.error.notna()]
    reasons = {
        "00003.png": "truncated",
        "00004.png": "is not a BMP or JPEG or PNG or TIFF file",
        "00012.png": "3,000 x 3,000 pixels, expected 100,000 at most",
        "00013.png": "No such file",
        "00011.jpg": "is not a BMP",
    }
    assert {*lost.index} == {*reasons}
    for name, reason in reasons.items():
        assert reason in lost.error[name]
    assert lost.score.isna().all()
    good = table.drop(lost.index)
    levels = [int(name[:5]) for name in good.index]
    np.testing.assert_allclose(good.score, brightness(levels), rtol=1e-6)
