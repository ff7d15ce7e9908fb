# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Writes all tables of a comparison."""

from pathlib import Path

from anogan_plugin.files import write_text
from anogan_plugin.report.comparison.folder import Results, read_results
from anogan_plugin.report.comparison.latex import summary_latex
from anogan_plugin.report.comparison.markdown import summary_markdown
from anogan_plugin.report.comparison.rows import Say, checked, silent
from anogan_plugin.report.comparison.tables import Tables, make_tables


def write_tables(output: Path, say: Say = silent) -> tuple[Results, Tables]:
    """Make all tables of a comparison from its results folder.

    Writes ``results.csv``, ``by_defect.csv``, ``detection.csv``, ``summary.csv``,
    ``comparisons.csv``, ``comparisons_by_seed.csv``, with five data sets or more ``ranks.csv``, and
    ``summary.md`` and ``summary.tex``. A job that failed, was not run, or left a broken file is in
    them with its reason. The same files give the same tables.

    Args:
        output: Folder of the comparison.
        say: Told what is being made.

    Returns:
        What was read, and the tables.

    Raises:
        UnreadableError: If ``comparison.json`` is not there or broken.
        OSError: If a table cannot be written.
    """
    results = checked(read_results(output))
    tables = make_tables(results, say)
    frames = {
        "results": tables.results,
        "by_defect": tables.by_defect,
        "detection": tables.detection,
        "summary": tables.summary,
        "comparisons": tables.pairs,
        "comparisons_by_seed": tables.by_seed,
        "ranks": tables.ranks.table,
    }
    for name, frame in frames.items():
        path = output / f"{name}.csv"
        if frame is None:
            path.unlink(missing_ok=True)  # of a time when there were more data sets
        else:
            write_text(path, frame.to_csv(index=False))
    write_text(output / "summary.md", summary_markdown(results, tables))
    write_text(output / "summary.tex", summary_latex(results, tables))
    return results, tables
