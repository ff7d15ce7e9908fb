# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The contact sheet and the data card it stands in."""

import ast
import re
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from anogan_plugin.rendering import RenderConfig
from anogan_plugin.rendering.contact_sheet import OUTLINE, contact_sheet, main
from anogan_plugin.rendering.defects import KINDS
from tests.rendering.photographs import photograph

DATASETS = Path(__file__).resolve().parents[2] / "datasets"


def test_the_committed_sheet_is_what_the_renderer_draws() -> None:
    committed = np.asarray(Image.open(DATASETS / "contact_sheet.png"))
    drawn = np.asarray(contact_sheet())
    assert committed.shape == drawn.shape
    # Other library versions may round differently, and fonts may differ; the pictures must agree.
    difference = np.abs(committed.astype(int) - drawn)
    assert (difference > 8).mean() < 0.01


def test_masks_are_outlined_in_colour() -> None:
    sheet = np.asarray(contact_sheet(RenderConfig(size=32), columns=2))
    assert (sheet == OUTLINE).all(-1).sum() > 100


def test_the_command_paints_on_a_photograph(tmp_path: Path) -> None:
    source, output = tmp_path / "gute Teile ü.png", tmp_path / "sheet.png"
    source.write_bytes(cv2.imencode(".png", photograph(np.uint16, 3))[1].tobytes())
    main([str(output), "--photograph", str(source), "--columns", "2"])
    assert Image.open(output).width > 2 * 2 * 192


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "1"], "at least 2 columns, got 1"),
        (["--size", "8"], "size is 8, expected 32 to 256"),
        (["--photograph", "missing.png"], "missing.png"),
        (["--photograph", __file__], "found something else in"),
    ],
)
def test_the_command_names_what_is_wrong(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "sheet.png"), *arguments])
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def _rows(columns: int) -> list[tuple[str, ...]]:
    cell = r"\s*([^|]*?)\s*\|"
    card = (DATASETS / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^\|{cell * columns}$", card, re.MULTILINE)


def test_the_card_s_parameters_are_the_defaults() -> None:
    defaults = asdict(RenderConfig())
    card = {name.strip("`"): value.strip("`") for name, value, _ in _rows(3)}
    assert {name: ast.literal_eval(card[name]) for name in defaults} == defaults


def test_the_card_s_kinds_are_all_there_with_their_limits() -> None:
    rows = {kind.strip("`"): limit for kind, _, limit in _rows(3) if kind.strip("`") in KINDS}
    limits = {kind: float(limit) for kind, limit in rows.items()}
    assert limits == {kind: entry.largest_percent for kind, entry in KINDS.items()}
