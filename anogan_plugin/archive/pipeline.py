# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib score``."""

from pathlib import Path
from typing import Any

from anomalib.pipelines.components.base import Pipeline
from jsonargparse import ArgumentParser, Namespace

from anogan_plugin.scoring.source import ScorerSource

_LARGEST = 1 << 26


class Score(Pipeline):
    """Score an archive of images into Parquet.

    Goes on where it was cut. The exit code is 0 if every image has its row, 1 if something stopped
    it, 2 if the command is wrong, and 130 after Ctrl-C.
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
        parser = ArgumentParser(description=Score.__doc__)
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
        return parser

    def run(self, args: Namespace | None = None) -> None:
        """Score the archive that the command line asks for.

        Args:
            args: The command line; None reads it.

        Raises:
            SystemExit: With the exit code, unless every image has its row.
        """
        options = self.get_parser().parse_args() if args is None else args
        # Imported here: every command of anomalib asks for the parser, and has no use for the rest.
        from anogan_plugin.archive.command import score

        code = score(options)
        if code:
            raise SystemExit(code)

    def _setup_runners(self, args: dict[str, Any]) -> list[Any]:
        """None of anomalib's: what they run can't be gone on with."""
        return []
