# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib score``."""

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.subcommands.subcommand import Subcommand

_LARGEST = 1 << 26


class Score(Subcommand):
    """Score an archive of images into Parquet.

    Goes on where it was cut. The exit code is 0 if every image has its row, 1 if something stopped
    it, 2 if the command is wrong, and 130 after Ctrl-C.
    """

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """See :meth:`Subcommand.add_arguments`."""
        ScorerSource.add_arguments(parser)
        add = parser.add_argument
        add(
            "--images",
            type=str,
            required=True,
            help="folder, LIST.txt or FILE.parquet, here or at any address of fsspec "
            "(s3://..., zip://::parts.zip)",
        )
        add("--output", type=Path, required=True, help="folder of the scores")
        add(
            "--workers",
            type=int,
            help="processes at a time, between which cores are shared; default: one per GPU, or "
            "one per core",
        )
        add("--shard", type=int, default=1024, help="images in a file of the output")
        add(
            "--max_pixels",
            type=int,
            default=_LARGEST,
            help="height times width above which an image is not decoded",
        )
        add(
            "--ray",
            type=str,
            metavar="ADDRESS",
            help="score on a Ray cluster: its address, or auto for the one of this machine; all "
            "its nodes see --images, --ckpt_path and --output under one address",
        )

    def execute(self, options: Namespace) -> int:
        """Score an archive; see :meth:`Subcommand.execute`."""
        from anogan_plugin.archive.command import score

        return score(options)
