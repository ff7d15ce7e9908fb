# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Figures and tables from the table of scores alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from anogan_plugin.report.figures import score_histograms, stack_strips, typical_images
from anogan_plugin.report.scores import image_aurocs, read_scores
from tests.processes import run_python


@pytest.fixture
def table() -> pd.DataFrame:
    paper = np.arange(42.0)
    return pd.DataFrame(
        {
            "image_path": [f"{i}.png" for i in range(42)],
            "label": [0] * 21 + [1] * 21,
            "score": paper,
            "paper": paper,
            "local": paper % 21,
        }
    )


def test_aurocs_by_hand(table: pd.DataFrame) -> None:
    # `paper` puts every anomaly above every good image; `local` gives both the same scores.
    assert image_aurocs(table) == {"paper": 1.0, "local": 0.5}


def test_histograms_count_every_image(table: pd.DataFrame) -> None:
    figure = score_histograms(table)
    for axis in figure.axes:
        assert sum(bar.get_height() for bar in axis.patches) == len(table)  # type: ignore[attr-defined]
    assert "AUROC 1.000" in figure.axes[0].get_title()


def test_typical_images_are_chosen_by_rank(table: pd.DataFrame) -> None:
    chosen = typical_images(table.sample(frac=1, random_state=0))
    assert chosen.score.tolist() == [1, 10, 19, 22, 31, 40]
    assert chosen.label.tolist() == [0, 0, 0, 1, 1, 1]


def test_strips_are_stacked(tmp_path: Path) -> None:
    paths = [tmp_path / f"{grey}.png" for grey in (10, 200)]
    for path in paths:
        Image.new("RGB", (40, 20), (int(path.stem),) * 3).save(path)
    sheet = stack_strips(paths, ["a", "b"])
    assert sheet.height == 40
    assert sheet.getpixel((sheet.width - 1, 5)) == (10, 10, 10)
    assert sheet.getpixel((sheet.width - 1, 35)) == (200, 200, 200)


def test_a_wrong_table_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    table.drop(columns="local").to_csv(path)
    with pytest.raises(ValueError, match=r"scores.csv lacks the columns \['local'\]"):
        read_scores(path)
    table[table.label == 1].to_csv(path)
    with pytest.raises(ValueError, match=r"has labels \[1\]: expected good"):
        read_scores(path)


def test_the_report_needs_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys, anogan_plugin.report.figures, anogan_plugin.report.scores\n"
        "assert 'torch' not in sys.modules"
    )
    run_python("-c", program, cwd=tmp_path)
