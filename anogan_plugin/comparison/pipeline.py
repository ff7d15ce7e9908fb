# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib compare``."""

from pathlib import Path
from typing import Any

from anomalib.pipelines.components.base import Pipeline
from jsonargparse import ArgumentParser, Namespace


class Compare(Pipeline):
    """Compare models on data sets over seeds, under identical metrics.

    Goes on where it was cut. The exit code is 0 if all jobs are done, 1 if some failed, 2 if the
    configuration is wrong, and 130 after Ctrl-C.
    """

    @staticmethod
    def get_parser(parser: ArgumentParser | None = None) -> ArgumentParser:
        """Make the parser of the command line.

        Args:
            parser: One to use as it is.

        Returns:
            The parser.
        """
        if parser is not None:
            return parser
        parser = ArgumentParser(description=Compare.__doc__)
        add = parser.add_argument
        add("--config", type=Path, required=True, help="YAML file: what to compare")
        add("--output", type=Path, help="folder of the results; default: results/NAME of the file")
        add("--only", type=str, nargs="+", help="names of the models to run now; default: all")
        add("--dry_run", action="store_true", help="list the jobs and run nothing")
        add(
            "--workers",
            type=int,
            help="jobs at a time, between which cores are shared; default: one per GPU, or one",
        )
        add(
            "--cores",
            type=int,
            help="cores of a job; default: all, shared between the --workers; on a cluster one",
        )
        add(
            "--ray",
            type=str,
            metavar="ADDRESS",
            help="run the jobs on a Ray cluster: its address, or auto for the one of this machine; "
            "--output must be a folder that all its nodes see under this path",
        )
        return parser

    def run(self, args: Namespace | None = None) -> None:
        """Run the comparison that the command line asks for.

        Args:
            args: The command line; None reads it.

        Raises:
            SystemExit: With the exit code, unless all jobs are done.
        """
        options = self.get_parser().parse_args() if args is None else args
        # Imported here: every command of anomalib asks for the parser, and has no use for the rest.
        from anogan_plugin.comparison.command import compare

        code = compare(options)
        if code:
            raise SystemExit(code)

    def _setup_runners(self, args: dict[str, Any]) -> list[Any]:
        """None of anomalib's: with them one job that fails can cost the results of all."""
        return []
