# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``python -m anogan_plugin.report.comparison OUT``: make the report again."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from anogan_plugin.report.comparison import table_so_far
from anogan_plugin.report.comparison.folder import UnreadableError
from anogan_plugin.report.page import NAMES
from anogan_plugin.report.write_report import write_report


def main() -> int:
    """Read the command line and make tables, pictures and the page.

    Returns:
        Exit code: 0, or 2 if the folder holds no comparison.
    """
    parser = argparse.ArgumentParser(
        prog="python -m anogan_plugin.report.comparison",
        description="Make the report of a comparison again, from what its jobs left.",
    )
    parser.add_argument("output", type=Path, help="folder of the comparison (comparison.json)")
    parser.add_argument(
        "--figures",
        nargs="*",
        choices=NAMES,
        metavar="NAME",
        help="write figures for print, too, as PDF, SVG and PNG into figures/print: all, or some "
        f"of {', '.join(NAMES)}",
    )
    options = parser.parse_args()
    output = options.output
    figures = () if options.figures is None else tuple(options.figures or NAMES)
    console = Console()
    try:
        with console.status("") as status:
            write_report(output, figures, lambda what: status.update(Text(f"making {what}")))
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    console.print(table_so_far(output))
    console.print(f"Tables: {output / 'summary.md'}", soft_wrap=True, markup=False)
    console.print(f"Page: {output / 'report.html'}", soft_wrap=True, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
