# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""All that can be made from the results folder of a comparison."""

from pathlib import Path

from anogan_plugin.report.comparison import write_pictures, write_tables
from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.rows import rows_of
from anogan_plugin.report.comparison.tables import Tables
from anogan_plugin.report.page import write_figures, write_page


def write_report(output: Path, figures: tuple[str, ...] = ()) -> tuple[Results, Tables]:
    """Write tables, pictures, the page ``report.html``, and figures for print.

    Args:
        output: Folder of the comparison.
        figures: Names of figures for print.

    Returns:
        What was read, with the jobs' states as they turned out, and the tables.

    Raises:
        UnreadableError: If ``comparison.json`` is not there or broken.
        OSError: If a file can't be written.
    """
    results, tables = write_tables(output)
    write_pictures(output)
    if figures:
        write_figures(output, results, rows_of(results), tables, figures)
    write_page(output, results, tables)
    return results, tables
