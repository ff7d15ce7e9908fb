# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The tables as a command, and the one that is shown while a comparison runs."""

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from anogan_plugin.report.comparison import table_so_far, write_tables
from tests.processes import run_python
from tests.report.comparison.made_results import (
    ANOGAN,
    MOULD,
    PATCHCORE,
    Size,
    folder_of,
    images_tested,
    make_results,
)

TABLES = (
    *("results.csv", "by_defect.csv", "detection.csv", "summary.csv"),
    *("comparisons.csv", "comparisons_by_seed.csv"),
    *("summary.md", "summary.tex"),
)
SMALL = Size(good=12, anomalous=12, held_out=20)


def rows(table: Table) -> list[list[str]]:
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def test_the_same_files_give_the_same_tables(written: Path) -> None:
    before = {name: (written / name).read_bytes() for name in TABLES}
    write_tables(written)
    assert {name: (written / name).read_bytes() for name in TABLES} == before
    assert {path.name for path in written.iterdir()} == {*TABLES, "comparison.json", "jobs"}


def test_a_table_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=1, size=SMALL)
    write_tables(output)
    before = {name: (output / name).read_bytes() for name in TABLES}
    (folder_of(output, PATCHCORE, MOULD, 0) / "result.json").unlink()

    def cut(self: Path, target: Path) -> Path:
        raise OSError("killed just before the end")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="killed"):
        write_tables(output)
    assert {name: (output / name).read_bytes() for name in TABLES} == before
    assert not list(output.glob(".*"))


def test_the_command(tmp_path: Path) -> None:
    output = make_results(tmp_path / "out", [ANOGAN, "[red]b"], [MOULD], seeds=1, size=SMALL)
    program = ("-m", "anogan_plugin.report.comparison")
    assert "comparison.json" in run_python(*program, "--help", cwd=tmp_path).stdout
    printed = run_python(*program, output, cwd=tmp_path).stdout
    assert "[red]b" in printed
    assert "1 of 1" in printed
    assert all((output / name).exists() for name in TABLES)
    with pytest.raises(AssertionError, match=r"comparison\.json is not there"):
        run_python(*program, tmp_path, cwd=tmp_path)


def test_the_tables_need_no_torch(tmp_path: Path) -> None:
    output = make_results(tmp_path / "out", [ANOGAN], [MOULD], seeds=1, size=SMALL)
    program = (
        "import sys, pathlib\n"
        "from anogan_plugin.report.comparison import table_so_far, write_tables\n"
        f"write_tables(pathlib.Path({str(output)!r}))\n"
        f"table_so_far(pathlib.Path({str(output)!r}))\n"
        "heavy = {'torch', 'anomalib', 'lightning', 'anogan_plugin.comparison'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    run_python("-c", program, cwd=tmp_path)


def test_the_table_so_far(written: Path) -> None:
    found = rows(table_so_far(written))
    assert [row[:3] for row in found[:3]] == [
        [MOULD, ANOGAN, "2 of 3"],
        [MOULD, f"{ANOGAN} · local", "2 of 3"],
        [MOULD, PATCHCORE, "3 of 3"],
    ]
    tests = [images_tested(written, PATCHCORE, MOULD, seed) for seed in range(3)]
    aurocs = pd.Series([roc_auc_score(test.label, test.score) for test in tests])
    assert found[2][3] == f"{aurocs.mean():.4f} ± {aurocs.std():.4f}"
    assert [row[2] for row in found[3:]] == ["3 of 3", "3 of 3", "2 of 3"]


def test_it_reads_scores_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=2, size=SMALL)
    first = rows(table_so_far(output))
    read: list[Path] = []
    read_parquet = pd.read_parquet

    def noted(path: Path) -> pd.DataFrame:
        read.append(path)
        return read_parquet(path)

    monkeypatch.setattr(pd, "read_parquet", noted)
    assert rows(table_so_far(output)) == first
    assert not read
    changed = folder_of(output, PATCHCORE, MOULD, 1) / "scores.parquet"
    table = read_parquet(changed)
    table.assign(score=-table.score).to_parquet(changed)
    assert rows(table_so_far(output)) != first
    assert read == [changed]


def test_it_shows_what_there_is(tmp_path: Path) -> None:
    assert rows(table_so_far(tmp_path)) == []
    output = make_results(tmp_path, ["[bold]x"], [MOULD], seeds=2, size=SMALL)
    (folder_of(output, "[bold]x", MOULD, 0) / "result.json").unlink()
    (folder_of(output, "[bold]x", MOULD, 1) / "scores.parquet").write_text("not a table")
    console = Console(width=100)
    with console.capture() as capture:
        console.print(table_so_far(output))
    assert "[bold]x" in capture.get()
    assert "0 of 2" in capture.get()
