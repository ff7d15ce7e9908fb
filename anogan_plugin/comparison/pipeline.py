# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib compare``."""

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from anogan_plugin.subcommands.subcommand import Subcommand


class Compare(Subcommand):
    """Compare models on data sets over seeds, under identical metrics.

    Goes on where it was cut. The exit code is 0 if all jobs are done, 1 if some failed, 2 if the
    configuration is wrong, and 130 after Ctrl-C.
    """

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """See :meth:`Subcommand.add_arguments`."""
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

    def execute(self, options: Namespace) -> int:
        """Run a comparison; see :meth:`Subcommand.execute`."""
        from anogan_plugin.comparison.command import compare

        return compare(options)
