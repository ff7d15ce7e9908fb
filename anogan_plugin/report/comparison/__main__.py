# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``python -m anogan_plugin.report.comparison OUT``: make tables and pictures again."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from anogan_plugin.report.comparison import table_so_far, write_pictures, write_tables
from anogan_plugin.report.comparison.folder import UnreadableError


def main() -> int:
    """Read the command line and make tables and pictures.

    Returns:
        Exit code: 0, or 2 if the folder holds no comparison.
    """
    parser = argparse.ArgumentParser(
        prog="python -m anogan_plugin.report.comparison",
        description="Make tables and pictures of a comparison again, from what its jobs left.",
    )
    parser.add_argument("output", type=Path, help="folder of the comparison (comparison.json)")
    output = parser.parse_args().output
    try:
        write_tables(output)
        write_pictures(output)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    console = Console()
    console.print(table_so_far(output))
    console.print(f"Tables: {output / 'summary.md'}", soft_wrap=True, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
