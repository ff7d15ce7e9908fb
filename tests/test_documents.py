# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What the documents promise."""

import importlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.processes import run_python

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("anogan_plugin/**/*.md")])


def test_tables_are_those_of_the_results() -> None:
    run_python("results/update_readmes.py", "--check", cwd=REPOSITORY)


def test_a_mean_over_some_of_the_data_sets_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "results")
    tables = importlib.import_module("comparison_tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    (folder := tmp_path / "mnist_one_class").mkdir()
    (folder / "comparison.json").write_text(json.dumps({"jobs": []}))
    summary = pd.DataFrame({"model": ["whole", "part"] * 2, "data": ["0", "0", "1", "1"]})
    costs = {"train_seconds": 90.0, "ms_batch_1": 2.0, "parameters": 3e6}
    summary = summary.assign(auroc_mean=[0.5, 0.9, 0.7, None], auroc_sd=None, seeds_done=1, **costs)
    other = summary[summary.model == "whole"].assign(model="whole · local")
    pd.concat([summary, other]).to_csv(folder / "summary.csv")
    own = "| whole | 0.600 (1 seed) | 1.5 | 2 | 3.00 |"
    assert tables.models(all_scores=False).splitlines()[2:] == [own]
    assert tables.models().splitlines()[2:] == [own, own.replace("whole", "whole · local")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    for link in links:
        assert (document.parent / link).exists(), link
