# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What the load tests in ``results`` keep and say when something went wrong."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

RESULTS = Path(__file__).parents[2] / "results"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"results/{name}", RESULTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look it up
    spec.loader.exec_module(module)
    return module


def measured(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / name / "measured.json").read_text())


def test_a_run_with_wrong_rows_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, found = load("archive_scoring/run"), measured("archive_scoring")
    monkeypatch.setattr(run, "HERE", tmp_path)
    found["check"]["same_rows_after_the_kill"] = False
    with pytest.raises(SystemExit, match="a row is missing"):
        run.keep(found, pd.DataFrame())
    assert not list(tmp_path.iterdir())
    found["check"]["same_rows_after_the_kill"] = True
    run.keep(found, pd.DataFrame())
    assert measured(str(tmp_path)) == found


def test_a_load_with_a_lost_answer_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, found = load("serving/run"), measured("serving")
    monkeypatch.setattr(run, "HERE", tmp_path)
    found["loads"][0]["lost"] = 1
    with pytest.raises(SystemExit, match="an answer was lost or wrong"):
        run.keep(found)
    assert not list(tmp_path.iterdir())
    found["loads"][0]["lost"] = 0
    run.keep(found)
    assert measured(str(tmp_path)) == found


def test_the_table_says_what_was_not_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(RESULTS)  # as for a script that is run there
    tables, found = load("load_tables"), measured("archive_scoring")
    assert "Every row of the run that was killed" in tables.archive()
    found["check"] |= {"same_scores_after_the_kill": False, "rows": 99_999}
    (tmp_path / "archive_scoring").mkdir()
    (tmp_path / "archive_scoring" / "measured.json").write_text(json.dumps(found))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    said = tables.archive()
    assert "NOT SO: both runs have the same scores." in said
    assert "Every row of the run that was killed" not in said
