# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import io as skimage_io

from anogan_plugin.data.image_io import find_images
from anogan_plugin.data.image_set import EncodedPicture, Manifest, ensure_image_set
from anogan_plugin.data.image_set.rendered import RenderPlan, render_set
from anogan_plugin.rendering import DEFECT_KINDS, RenderConfig, render_part

RENDER = """
import sys
from pathlib import Path
from anogan_plugin.data.image_set.rendered import RenderPlan, render_set
render_set(Path(sys.argv[1]), RenderPlan(int(sys.argv[2]), 5, 5, image_size=32), {workers})
"""


def start_rendering(root: Path, train_good: int, workers: int = 1) -> subprocess.Popen:
    """Render in another process."""
    command = [sys.executable, "-c", RENDER.format(workers=workers), str(root), str(train_good)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    plan = RenderPlan(17, 3, 4, defects=("crack", "short_fill"), seed=5, image_size=32)
    render_set(tmp_path / "one", plan, workers=1)
    render_set(tmp_path / "two", plan, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_no_picture_depends_on_how_many_there_are(tmp_path: Path, rendered_set: Path) -> None:
    plan = RenderPlan(3, 2, 2, defects=("void", "short_fill"), image_size=32)
    render_set(tmp_path / "few", plan, workers=1)
    few, many = Manifest.read(tmp_path / "few").files, Manifest.read(rendered_set).files
    common = few.keys() & many.keys()
    assert len(common) == 3 + 2 + 2  # the short fill and its mask are two files
    assert all(few[name] == many[name] for name in common)


def test_seed_changes_every_picture(tmp_path: Path) -> None:
    for seed in (1, 2):
        render_set(tmp_path / str(seed), RenderPlan(2, 1, 1, seed=seed, image_size=32), workers=1)
    one, two = Manifest.read(tmp_path / "1").files, Manifest.read(tmp_path / "2").files
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_pictures_are_those_of_the_renderer(rendered_set: Path) -> None:
    stream = 2 + DEFECT_KINDS.index("short_fill")
    part = render_part(RenderConfig(size=32), np.random.default_rng([0, stream, 4]), "short_fill")
    mask = skimage_io.imread(rendered_set / "ground_truth/short_fill/00004.png")
    np.testing.assert_array_equal(
        skimage_io.imread(rendered_set / "test/short_fill/00004.png"), part.image
    )
    np.testing.assert_array_equal(mask, part.mask)
    assert Manifest.read(rendered_set).defects[4] == {
        "file": "test/short_fill/00004.png",
        **part.info,
    }


def test_manifest_counts_the_images(rendered_set: Path) -> None:
    counts = Manifest.read(rendered_set).counts
    assert counts == {"train/good": 24, "test/good": 6, "test/short_fill": 6}
    assert counts == {folder: len(find_images(rendered_set / folder)) for folder in counts}


def test_defects_are_split_evenly(tmp_path: Path) -> None:
    render_set(tmp_path / "set", RenderPlan(1, 1, 5, ("void", "flash"), 0, 32), workers=1)
    counts = Manifest.read(tmp_path / "set").counts
    assert (counts["test/void"], counts["test/flash"]) == (3, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"defects": ("hole",)}, "defects is .'hole'., expected different kinds out of short_fill"),
        ({"defects": ("void", "void")}, "expected different kinds"),
        ({"defects": ()}, "expected different kinds"),
        ({"train_good": -1}, "train_good is -1, expected 0 or more"),
        ({"image_size": 8}, "size"),
    ],
)
def test_plan_refuses_what_cannot_be_rendered(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RenderPlan(**arguments)


def test_verify_names_missing_extra_and_changed_files(tmp_path: Path) -> None:
    root = tmp_path / "set"
    render_set(root, RenderPlan(6, 1, 1, image_size=32), workers=1)
    manifest = Manifest.read(root)
    manifest.verify(root)
    for number in range(4):
        (root / f"train/good/0000{number}.png").unlink()
    (root / "test/good/new.png").write_bytes(b"new")
    (root / "test/short_fill/00000.png").write_bytes(b"changed")
    (root / "notes.txt").write_text("not an image, no matter")
    with pytest.raises(ValueError, match=r"does not match its dataset.json") as error:
        manifest.verify(root)
    assert (
        "4 missing (train/good/00000.png, train/good/00001.png, train/good/00002.png, …); "
        "1 extra (test/good/new.png); 1 changed (test/short_fill/00000.png)"
    ) in str(error.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format_version": 1, "x": 2}'])
def test_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(ValueError, match=r"dataset.json is damaged .*: delete"):
        Manifest.read(tmp_path)


def test_manifest_of_another_format_is_refused(tmp_path: Path, rendered_set: Path) -> None:
    content = json.loads((rendered_set / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps({**content, "format_version": 2}))
    with pytest.raises(ValueError, match="has format 2, expected 1"):
        Manifest.read(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_run_leaves_no_set_and_does_not_hinder_the_next(
    tmp_path: Path, workers: int
) -> None:
    root = tmp_path / "set"
    with start_rendering(root, 100_000, workers) as process:
        while process.poll() is None and len(list(tmp_path.rglob("*.png"))) < 20:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)  # until the last of its processes has let go of stdout
    assert process.returncode == -signal.SIGKILL
    assert not root.exists()
    assert (tmp_path / ".set.partial").exists()

    render_set(root, RenderPlan(3, 1, 1, image_size=32), workers=1)
    Manifest.read(root).verify(root)
    assert list(tmp_path.iterdir()) == [root]


def test_two_runs_at_once_write_one_set(tmp_path: Path) -> None:
    root = tmp_path / "set"
    runs = [start_rendering(root, 40) for _ in range(2)]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert len(Manifest.read(root).files) == 55
    Manifest.read(root).verify(root)
    assert list(tmp_path.iterdir()) == [root]


def test_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def pictures() -> Any:
        yield EncodedPicture("train/good/0.png", b"")
        raise KeyboardInterrupt

    header = Manifest("rendered", "1", 0, {})
    with pytest.raises(KeyboardInterrupt):
        ensure_image_set(tmp_path / "set", header, pictures, 2, "failing")
    assert not (tmp_path / "set").exists()
    assert not (tmp_path / ".set.partial").exists()


def test_script_without_main_guard_can_render(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(RENDER.format(workers=2) + "print('done')")
    result = subprocess.run(
        [sys.executable, script, tmp_path / "set", "9"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.count("done") == 1
