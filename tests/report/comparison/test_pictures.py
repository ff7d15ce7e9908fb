# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of a comparison show the numbers of its scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image
from sklearn.metrics import roc_auc_score

from anogan_plugin.report.comparison import write_pictures
from anogan_plugin.report.comparison.folder import read_results
from anogan_plugin.report.comparison.pictures import examples, histograms
from anogan_plugin.report.comparison.rows import rows_of
from tests.report.comparison.made_results import (
    ANOGAN,
    MOULD,
    PATCHCORE,
    folder_of,
    images_tested,
    make_results,
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """One data set, one seed; the first model has examples."""
    output = make_results(tmp_path, [ANOGAN, PATCHCORE], [MOULD], seeds=1)
    folder = folder_of(output, ANOGAN, MOULD, 0) / "examples"
    folder.mkdir()
    listed = []
    for row, reason in enumerate(("typical", "worst $miss$ <b>")):
        files = {"image": f"{row}_image.png", "map": f"{row}_map.png"}
        for name in files.values():
            Image.fromarray(np.full((8, 8), 100 + row, np.uint8)).save(folder / name)
        about = {"row": row, "reason": reason, "image_path": "a.png", "label": row}
        listed.append({**about, "defect_type": "$x_", "score": float(row), "files": files})
    (folder / "examples.json").write_text(json.dumps({"map_range": [0, 1], "examples": listed}))
    return output


def test_histograms_count_every_test_image_and_give_the_auroc(output: Path) -> None:
    rows = rows_of(read_results(output))
    panels = [axis for axis in histograms(rows).axes if axis.axison]
    assert len(panels) == len(rows) == 3  # two models, of which one has a score `local`
    for axis, row in zip(panels, rows, strict=True):
        test = images_tested(output, row.model, MOULD, 0)
        bars = sum(patch.get_height() for patch in axis.patches if isinstance(patch, Rectangle))
        assert bars == len(test)
        auroc = roc_auc_score(test.label, test[row.column])
        assert axis.get_title() == f"{row.name}: AUROC {auroc:.3f}"


def test_examples_have_a_line_per_image_by_falling_score(output: Path) -> None:
    (job, _) = read_results(output).jobs
    axes = np.array(examples(job).axes).reshape(2, 2)  # no masks, no reconstructions
    assert [axis.get_title() for axis in axes[0]] == ["image", "map"]
    assert "worst $miss$ <b>" in axes[0, 0].get_ylabel()
    assert (np.asarray(axes[0, 0].images[0].get_array()) == 101).all()


def test_files_are_written_whatever_the_names(output: Path) -> None:
    write_pictures(output)
    names = sorted(path.name for path in (output / "figures").iterdir())
    assert len(names) == 2
    assert names[0].startswith("examples-")
    assert names[1] == "histograms-1.png"
    for name in names:
        with Image.open(output / "figures" / name) as picture:
            assert picture.width > 100
