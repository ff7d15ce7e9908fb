# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib score`` as a user runs it, and what is left when something goes wrong."""

import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from anomalib.models import get_model

from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.data.image_io import find_images, read_pixels, to_unit_range
from tests.archive.gated import GatedModel
from tests.archive.small import (
    TIMEOUT,
    arguments,
    brightness,
    grey,
    rows,
    save_checkpoint,
    score_here,
    score_on_a_small_disk,
    start,
    write_images,
    write_parquet,
)
from tests.comparison.gates import make_gate, open_for_good, wait_for

GATED = "tests.archive.gated.GatedModel"


def files(output: Path) -> dict[str, tuple[int, int]]:
    """Every file of the scores, and what tells whether it was written anew."""
    found = {path.name: path.stat() for path in output.glob("*.parquet")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def contents(folder: Path) -> dict[str, bytes]:
    """What is in each file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_image_has_one_row_and_again_there_is_nothing_to_do(
    tmp_path: Path, checkpoint: Path
) -> None:
    command = arguments(write_images(tmp_path / "images", range(25)), checkpoint, tmp_path / "out")
    first = score_here(command)
    assert first.code == 0, first.said
    assert "scored 25 of 25 images" in first.said
    table = rows(tmp_path / "out")
    assert list(table.path) == [f"{number:05}.png" for number in range(25)]
    np.testing.assert_allclose(table.score, brightness(range(25)), rtol=1e-6)
    assert table.rejected.isna().all()
    assert table.error.isna().all()
    written = files(tmp_path / "out")
    assert sorted(written) == [f"part-{number:06}.parquet" for number in range(3)]
    again = score_here(command)
    assert again.code == 0
    assert "25 of 25 images were scored before" in again.said
    assert files(tmp_path / "out") == written


def test_a_lost_file_alone_is_written_again(tmp_path: Path, checkpoint: Path) -> None:
    archive = write_parquet(tmp_path / "a.parquet", [grey(level) for level in range(30)], 7)
    command = arguments(archive, checkpoint, tmp_path / "out")
    assert score_here(command).code == 0
    before, written = rows(tmp_path / "out"), files(tmp_path / "out")
    (tmp_path / "out" / "part-000001.parquet").unlink()
    (tmp_path / "out" / ".h4lf_0x2.parquet").write_bytes(b"PAR1")  # as a kill leaves it
    assert "20 of 30 images were scored before" in score_here(command).said
    assert rows(tmp_path / "out").equals(before)
    after = files(tmp_path / "out")
    assert {name for name in written if written[name] != after[name]} == {"part-000001.parquet"}
    assert not (tmp_path / "out" / ".h4lf_0x2.parquet").exists()


def test_killed_at_any_moment_it_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    levels = [random.Random(0).randrange(255) for _ in range(60)]
    levels[25] = levels[38] = 255  # two processes stand still, each in a shard
    folder = write_images(tmp_path / "images", levels)
    gate = make_gate(tmp_path)
    checkpoint = save_checkpoint(GatedModel(str(gate)), tmp_path / "model.ckpt")
    command = arguments(folder, checkpoint, tmp_path / "out", model=GATED)
    running = start(command)
    processes = [psutil.Process(pid) for pid in wait_for(2, gate, running)]
    running.send_signal(signal.SIGKILL)  # the command alone, not its processes
    running.communicate(timeout=TIMEOUT)
    assert not psutil.wait_procs(processes, timeout=TIMEOUT)[1]
    before = files(tmp_path / "out")
    assert sorted(before) == ["part-000000.parquet", "part-000001.parquet"]
    open_for_good(gate)
    again = score_here(command)
    assert again.code == 0, again.said
    assert "20 of 60 images were scored before" in again.said
    table = rows(tmp_path / "out")
    assert list(table.path) == [f"{number:05}.png" for number in range(60)]
    np.testing.assert_allclose(table.score, brightness(levels), rtol=1e-6)
    after = files(tmp_path / "out")
    assert {name: after[name] for name in before} == before


def test_a_process_that_dies_ends_the_command_with_its_reason(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [1, 2, 255])
    checkpoint = save_checkpoint(GatedModel(""), tmp_path / "model.ckpt")
    ended = score_here(arguments(folder, checkpoint, tmp_path / "out", model=GATED))
    assert ended.code == 1
    assert "shard 0 can't be scored: the process that scored it was killed by SIGKILL" in ended.said


def test_full_disk_ends_the_command_and_more_room_lets_it_go_on(
    tmp_path: Path, checkpoint: Path
) -> None:
    noise = random.Random(0)
    paths = [f"{noise.getrandbits(800):x}" for _ in range(200)]  # the file of the shard is large
    archive = write_parquet(tmp_path / "a.parquet", [grey(9)] * 200, 50, path=paths)
    command = arguments(archive, checkpoint, tmp_path / "out", "--shard", "200")
    ended = score_on_a_small_disk(command, largest_file=20_000)
    assert ended.code == 1, ended.said
    assert "File too large" in ended.said
    assert "the same command goes on" in ended.said
    assert not files(tmp_path / "out")
    again = score_here(command)
    assert again.code == 0, again.said
    assert list(rows(tmp_path / "out").path) == paths


def test_what_was_begun_with_something_else_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    folder = write_images(tmp_path / "images", range(5))
    command = arguments(folder, checkpoint, tmp_path / "out")
    assert score_here(command).code == 0
    before = files(tmp_path / "out")
    noted = contents(tmp_path / "out" / "_archive")

    def refused(command: list[str], what: str) -> None:
        ended = score_here(command)
        assert ended.code == 2
        assert f"out was begun with other {what} than are given now" in ended.said
        assert files(tmp_path / "out") == before
        assert contents(tmp_path / "out" / "_archive") == noted

    (other := tmp_path / "other.ckpt").write_bytes(checkpoint.read_bytes())
    assert score_here(arguments(folder, other, tmp_path / "out")).code == 0
    model = GatedModel("")
    torch.nn.init.constant_(next(model.model.parameters()), 2.0)
    changed = save_checkpoint(model, tmp_path / "changed.ckpt")
    refused(arguments(folder, changed, tmp_path / "out"), "checkpoint")
    refused([*command, "--shard", "4"], "images and --shard")
    refused([*command, "--arguments.go", "x"], "--arguments")
    refused(arguments(folder, checkpoint, tmp_path / "out", model=GATED), "--model")
    write_images(folder, range(6))
    refused(command, "images")
    write_images(folder, [4, 3, 2, 1, 0])
    (folder / "00005.png").unlink()
    assert score_here(command).code == 0  # of the same names and sizes


def test_wrong_command_lines_are_refused_with_a_reason(tmp_path: Path, checkpoint: Path) -> None:
    folder = write_images(tmp_path / "images", [1])
    (empty := tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    for command, reason in (
        (arguments(empty, checkpoint, out), "expected images in"),
        (arguments(tmp_path / "nowhere", checkpoint, out), "that is there, found"),
        (arguments(folder, tmp_path / "no.ckpt", out), "found no file"),
        (arguments(folder, folder / "00000.png", out), "00000.png, which is neither"),
        (arguments(folder, checkpoint, out, model="ConvAutoencoder"), "can't be loaded into Conv"),
        (arguments(folder, checkpoint, out, "--workers", "0"), "--workers is 0, expected 1"),
        (arguments(folder, checkpoint, out, "--shard", "0"), "--shard is 0, expected 1"),
        (arguments(folder, checkpoint, out, "--ray", "local"), "--workers is for this machine"),
    ):
        ended = score_here(command)
        assert ended.code == 2, ended.said
        assert reason in ended.said
    assert not files(out)


def test_scores_and_images_inside_one_another_are_refused(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_images(tmp_path / "a" / "images", [1])
    (folder / "list.txt").write_text("00000.png\n")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    for images, output in (
        (folder, folder / "out"),
        (folder, Path("out")),
        (folder, folder),
        (folder, folder.parent),
        (tmp_path / "link", folder / "out"),
        (folder / "list.txt", folder),
    ):
        ended = score_here(arguments(images, checkpoint, output))
        assert ended.code == 2
        assert "are one inside the other" in ended.said
    assert sorted(path.name for path in (tmp_path / "a").rglob("*")) == [
        "00000.png",
        "images",
        "list.txt",
    ]
    beside = score_here(arguments(folder / "list.txt", checkpoint, folder / "out"))
    assert beside.code == 0, beside.said


@pytest.mark.parametrize("linked", ["out", "."])
def test_a_link_from_the_images_to_the_scores_is_refused(
    linked: str, tmp_path: Path, checkpoint: Path
) -> None:
    folder = write_images(tmp_path / "images", [1])
    store = tmp_path / "store"
    command = arguments(folder, checkpoint, store / "out")
    assert score_here(command).code == 0
    before = files(store / "out")
    (folder / "link").symlink_to(store / linked)
    for output in (store / "out", store / "new", tmp_path / "elsewhere"):
        ended = score_here(arguments(folder, checkpoint, output))
        assert ended.code == 2
        assert "is a folder of scores, of this call or another" in ended.said
        assert not [path for path in files(output) if output != store / "out"]
    assert files(store / "out") == before
    (folder / "link").unlink()
    assert "1 of 1 images were scored before" in score_here(command).said


def test_a_link_to_scores_that_are_not_there_yet_is_refused(
    tmp_path: Path, checkpoint: Path
) -> None:
    folder = write_images(tmp_path / "images", [1])
    (folder / "link").symlink_to(tmp_path / "out")
    ended = score_here(arguments(folder, checkpoint, tmp_path / "out"))
    assert ended.code == 2
    assert "link is a folder of scores" in ended.said


def test_two_commands_do_not_score_into_one_folder(tmp_path: Path, checkpoint: Path) -> None:
    command = arguments(write_images(tmp_path / "images", [1]), checkpoint, tmp_path / "out")
    with ScoresFolder(tmp_path / "out").lock():
        ended = score_here(command)
    assert ended.code == 2
    assert "another command scores into" in ended.said


def test_where_nothing_was_scored_there_is_no_folder_of_scores(
    tmp_path: Path, checkpoint: Path
) -> None:
    (empty := tmp_path / "empty").mkdir()
    failed = tmp_path / "images" / "out"
    assert "expected images in" in score_here(arguments(empty, checkpoint, failed)).said
    assert [path.name for path in failed.rglob("*")] == ["_archive", "lock"]
    (theirs := tmp_path / "theirs").mkdir()
    (theirs / ".notes_of.parquet").touch()
    assert score_here(arguments(empty, checkpoint, theirs)).code == 2
    assert (theirs / ".notes_of.parquet").exists()
    other = tmp_path / "other"
    assert score_here(arguments(empty, tmp_path / "no.ckpt", other / "out")).code == 2
    assert not other.exists()
    write_images(failed.parent, [1])
    assert score_here(arguments(failed.parent, checkpoint, tmp_path / "out")).code == 0


def test_latent_search_over_an_archive_finds_what_it_finds_in_a_batch(
    rendered_set: Path, tmp_path: Path
) -> None:
    settings = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 4}
    torch.manual_seed(0)
    model: Any = get_model("AnoGAN", **settings, search_precision="fp32")
    checkpoint = save_checkpoint(model, tmp_path / "model.ckpt")
    (tmp_path / "list.txt").write_text("no.png\n")  # a shard of which no image can be read
    command = ["--ckpt_path", str(checkpoint), "--workers", "2"]
    images_and_output = ["--images", str(rendered_set / "train"), "--output", str(tmp_path / "out")]
    assert score_here([*command, *images_and_output]).code == 0
    table = rows(tmp_path / "out")
    images = [to_unit_range(read_pixels(path)) for path in find_images(rendered_set / "train")]
    network = model.eval().model
    expected = network.score(model.pre_processor.transform(torch.from_numpy(np.stack(images))))
    assert len(table) == len(images) == 24
    np.testing.assert_allclose(table.score, expected.pred_score, rtol=1e-5)
    for name, values in expected.parts.items():
        np.testing.assert_allclose(table[name], values, rtol=1e-5)
    assert (table.steps == 4).all()

    images_and_output = ["--images", str(tmp_path / "list.txt"), "--output", str(tmp_path / "none")]
    assert score_here([*command, *images_and_output]).code == 0
    none = rows(tmp_path / "none")
    assert list(none.columns) == list(table.columns)
    assert none.score.isna().all()
