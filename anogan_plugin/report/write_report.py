# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""All that can be made from the results folder of a comparison."""

from pathlib import Path

from anogan_plugin.report.comparison import write_pictures, write_tables
from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.rows import Say, rows_of, silent
from anogan_plugin.report.comparison.tables import Tables
from anogan_plugin.report.page import write_figures, write_page


def write_report(
    output: Path, figures: tuple[str, ...] = (), say: Say = silent
) -> tuple[Results, Tables]:
    """Write tables, pictures, the page ``report.html``, and figures for print.

    Args:
        output: Folder of the comparison.
        figures: Names of figures for print.
        say: Told what is being made: with many images it takes minutes.

    Returns:
        What was read, with the jobs' states as they turned out, and the tables.

    Raises:
        UnreadableError: If ``comparison.json`` is not there or broken.
        OSError: If a file can't be written.
    """
    results, tables = write_tables(output, say)
    write_pictures(output, say)
    if figures:
        say("figures for print")
        write_figures(output, results, rows_of(results), tables, figures)
    say("the page")
    write_page(output, results, tables)
    return results, tables
