# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from anogan_plugin.data.icmold.render import main
from anogan_plugin.data.image_set import Manifest

from .photographs import numbered, write_photographs

FEW = ["--train-good", "3", "--test-good", "2", "--test-defects", "2", "--size", "32"]


def test_renders_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "set"
    main(["set", str(root), *FEW, "--defects", "void", "crack", "--seed", "4", "--workers", "1"])
    assert Manifest.read(root).seed == 4
    assert capsys.readouterr().out.endswith(
        "3 in train/good, 2 in test/good, 1 in test/void, 1 in test/crack\n"
    )


def test_does_not_overwrite(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exists: delete it, or give another folder"):
        main(["set", str(tmp_path), *FEW])


def test_paints_photographs(tmp_path: Path) -> None:
    write_photographs(tmp_path / "own", numbered(4))
    main(["paint", str(tmp_path / "own"), "--defects", "scratch", "--count", "3"])
    (folder,) = tmp_path.glob("own_painted_*")
    assert Manifest.read(folder).counts == {"test/scratch": 3}


def test_nothing_to_paint_on(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: .* has no images: correct the path"):
        main(["paint", str(tmp_path)])


@pytest.mark.parametrize("command", ["set", "paint"])
def test_help_explains_every_argument(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert "seed of every picture (default: 0)" in text
    assert "None" not in text
