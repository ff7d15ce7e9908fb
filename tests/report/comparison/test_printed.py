# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""`summary.md` and `summary.tex`."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from anogan_plugin.report.comparison import latex, markdown, write_tables
from anogan_plugin.report.comparison.missing import not_run, remarks
from anogan_plugin.report.comparison.printed import Cell, printed_cells, printed_columns
from tests.report.comparison.made_results import (
    MOULD,
    REASON,
    Size,
    make_results,
    write_comparison,
)

NASTY = r"[a]*b_c & d|e <f> #1 {x} ~^ \g $2 100% `q`"
SMALL = Size(good=12, anomalous=12, held_out=20)
COMPILERS = ("tectonic", "pdflatex", "xelatex", "lualatex")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is special in Markdown or LaTeX, in every name that a user gives."""
    output = make_results(tmp_path_factory.mktemp("nasty"), [NASTY, "b"], [NASTY], 2, SMALL)
    write_tables(output)
    return output


def table_lines(text: str) -> list[list[str]]:
    """Rows of Markdown tables, split where GitHub splits them."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]


def plain(markdown_text: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown_text)


def test_names_come_through_markdown(nasty: Path) -> None:
    text = (nasty / "summary.md").read_text()
    first, rule, *rows = table_lines(text)[:5]
    assert {len(row) for row in (first, rule, *rows)} == {len(first)}
    assert plain(rows[0][0].strip()) == NASTY
    assert plain(rows[1][0].strip()) == f"{NASTY} · local"
    for letter in "|<>*_`#~&$[]{}":
        assert re.search(rf"(?<!\\){re.escape(letter)}", markdown.escape(NASTY)) is None


def test_what_is_not_done_is_listed(written: Path) -> None:
    text = plain((written / "summary.md").read_text())
    assert f"seed 2 on IC mould: failed: {REASON}" in text
    assert "- Not run: Patchcore: seed 1 on digits 100%\n" in text
    assert "seed 1: training: the discriminator has won" in text
    assert "2 of 3" in text


def test_jobs_that_are_not_run_take_a_line_per_model() -> None:
    jobs = [("A", data, seed) for data in ("x", "y") for seed in (0, 1)]
    jobs += [("B", "x", 0), ("B", "x", 2), ("B", "y", 2)]
    table = pd.DataFrame(jobs, columns=["model", "data", "seed"])
    table = table.assign(score="score", status="not run", reason=None)
    assert not_run(table) == ["A: seeds 0, 1", "B: seeds 0, 2 on x; seed 2 on y"]
    failed = table.assign(status="failed", reason="why")
    more = pd.concat([failed, failed.assign(score="local")])
    assert remarks(more)[0] == "A (score, local), seeds 0, 1: failed: why"
    assert not not_run(failed)
    assert not remarks(table)


def test_a_p_value_that_can_not_be_smaller_is_marked(written: Path) -> None:
    summary, pairs = (pd.read_csv(written / f"{name}.csv") for name in ("summary", "comparisons"))
    text = markdown._against_best(summary, pairs.assign(p_value=2 / 2001, resamples=2000))
    assert f"| ≤ {pairs.p_holm.iloc[0]:.2g} |" in text
    assert "≤" not in markdown._against_best(summary, pairs.assign(p_value=4 / 2001))


def test_captions_say_how_the_numbers_came_about(written: Path) -> None:
    for name in ("summary.md", "summary.tex"):
        text = (written / name).read_text().replace("\\", "")
        assert "60 good and 80 anomalous test images; seeds 0, 1, 2" in text
        assert "search fast, search_steps 30, 25 steps taken on average" in text
        assert "Holm-adjusted for 3 pairs" in text
        assert "overkill of 5 %" in text
        assert "None" not in text.replace("None: ranks", "")


def test_latex_is_balanced(nasty: Path) -> None:
    text = re.sub(r"^%.*$", "", (nasty / "summary.tex").read_text(), flags=re.MULTILINE)
    braces = re.sub(r"\\[{}\\]", "", text)
    depth = 0
    for letter in braces:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert re.search(r"(?<!\\)[%#]", text) is None
    begun, ended = re.findall(r"\\begin\{(.*?)\}", text), re.findall(r"\\end\{(.*?)\}", text)
    assert sorted(begun) == sorted(ended) == ["table*", "tabular", "tabular"]


def test_latex_rows_have_as_many_cells_as_columns(nasty: Path) -> None:
    text = (nasty / "summary.tex").read_text()
    _, *tabulars = text.split(r"\begin{tabular}")
    assert len(tabulars) == 2
    for tabular in tabulars:
        columns = re.match(r"\{(.*)\}", tabular)
        assert columns is not None
        rows = [line for line in tabular.splitlines() if line.endswith("\\\\")]
        assert len(rows) == 4
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns[1]) - 1
            # They would be read as arguments of the \\ of the row before.
            assert not row.strip().startswith(("[", "*"))


def test_every_special_letter_is_escaped_for_latex() -> None:
    assert latex.escape("_&%#{}$") == r"\_\&\%\#\{\}\$"
    assert latex.escape("~^\\") == r"\textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert latex.escape("a\n b") == "a b"


@pytest.mark.parametrize("layout", ["", "twocolumn"])
def test_latex_compiles_and_fits_the_page(nasty: Path, tmp_path: Path, layout: str) -> None:
    found = next(filter(None, map(shutil.which, COMPILERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(COMPILERS)} is installed")
    shutil.copy(nasty / "summary.tex", tmp_path)
    document = (
        rf"\documentclass[{layout}]{{article}}\usepackage{{booktabs,graphicx}}"
        r"\begin{document}\input{summary.tex}\end{document}"
    )
    (tmp_path / "main.tex").write_text(document)
    arguments = [] if "tectonic" in found else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [found, *arguments, "main.tex"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def summary_of(**columns: list[float]) -> pd.DataFrame:
    blank = {f"{n}_{k}": float("nan") for n in NUMBERS for k in ("mean", "sd")}
    costs = dict.fromkeys(("ms_batch_1", "ms_batch_32", "train_seconds", "parameters"), None)
    names = ["a", "b", "c"]
    counts = {"seeds_done": 3, "seeds_asked": 5, "auroc_low": 0.1, "auroc_high": 0.9}
    return pd.DataFrame({"model": names, **blank, **costs, **counts, **columns})


NUMBERS = (
    *("auroc", "aupr", "f1_max", "fpr_at_95_tpr", "escape", "overkill"),
    *("escape_at_overkill", "overkill_at_zero_escape"),
    *("pixel_auroc", "pixel_aupro", "pixel_f1_max"),
)


def test_best_and_not_told_apart() -> None:
    summary = summary_of(auroc_mean=[0.9, 0.7, 0.9 - 1e-6], fpr_at_95_tpr_mean=[0.5, 0.2, 0.3])
    pairs = pd.DataFrame(
        {
            "first": ["a", "a", "b"],
            "second": ["b", "c", "c"],
            "p_holm": [0.001, 0.9, 0.02],
            "tests": 3,
        }
    )
    columns = printed_columns(summary)
    assert [c.title for c in columns] == ["Seeds", "AUROC", "95 % interval", "FPR95"]
    cells = printed_cells(summary, pairs, columns)
    assert [row[2] for row in cells] == [
        Cell("0.9000", best=True),
        Cell("0.7000"),
        Cell("0.9000", best=True, tied=True),  # the same as printed
    ]
    assert [row[4].best for row in cells] == [False, True, False]  # lower is better
    assert cells[0][1].text == "3 of 5"


def test_an_untested_row_is_not_called_different() -> None:
    summary = summary_of(auroc_mean=[0.9, 0.7, float("nan")])
    pairs = pd.DataFrame({"first": ["a"], "second": ["b"], "p_holm": [float("nan")], "tests": 0})
    cells = printed_cells(summary, pairs, printed_columns(summary))
    assert [row[2].tied for row in cells] == [False, True, False]


def test_long_times_are_written_out() -> None:
    summary = summary_of(auroc_mean=[0.9, 0.8, 0.7], ms_batch_1=[7120.0, 99.96, 1.234])
    columns = printed_columns(summary)
    cells = printed_cells(summary, pd.DataFrame(columns=["first", "second", "p_holm"]), columns)
    assert [row[-1].text for row in cells] == ["7,120", "100", "1.23"]


def test_differences_are_turned_towards_the_best(tmp_path: Path) -> None:
    """The best stands second in `comparisons.csv`; in the text it is the one subtracted from."""
    output = make_results(tmp_path, ["good", "bad"], [MOULD], seeds=2)
    jobs = [
        {"model": model, "data": MOULD, "seed": seed, "folder": f"job{2 * seed + place}"}
        for model, place in (("bad", 1), ("good", 0))
        for seed in range(2)
    ]
    write_comparison(output, jobs, scores=["score"])
    write_tables(output)
    pair = pd.read_csv(output / "comparisons.csv").iloc[0]
    assert (pair["first"], pair.difference < 0) == ("bad", True)
    text = plain((output / "summary.md").read_text())
    line = next(line for line in text.splitlines() if line.startswith("| bad | 2 | +"))
    assert f"{-pair.difference:+.4f}" in line
    assert f"[{-pair.high:+.4f}, {-pair.low:+.4f}]" in line
