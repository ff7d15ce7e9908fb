# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib serve``."""

from pathlib import Path
from typing import Any

from anomalib.pipelines.components.base import Pipeline
from jsonargparse import ArgumentParser, Namespace

from anogan_plugin.scoring.source import ScorerSource


class Serve(Pipeline):
    """Score images over HTTP.

    A page at / takes an image by hand, POST /score from a program. Ends on Ctrl-C or SIGTERM, when
    all that was taken has been answered.
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
        parser = ArgumentParser(description=Serve.__doc__)
        ScorerSource.add_arguments(parser)
        add = parser.add_argument
        add("--host", type=str, default="127.0.0.1", help="address to listen on")
        add("--port", type=int, default=8000, help="port to listen on; 0 for any that is free")
        add(
            "--overkill",
            type=float,
            help="share of good images that may be rejected, in (0, 1); needs --good_scores; "
            "default: the threshold in the checkpoint",
        )
        add(
            "--good_scores",
            type=Path,
            help="what `anomalib score` made of held-out good images with the same model",
        )
        add(
            "--max_images",
            type=int,
            default=64,
            help="images that wait or are scored at a time; further ones are answered 503, and "
            "so are those beyond four times as many that are being received",
        )
        add("--max_bytes", type=int, default=16 << 20, help="largest image file")
        add(
            "--max_pixels",
            type=int,
            default=1 << 24,
            help="largest height times width of an image, and of all that are being decoded",
        )
        return parser

    def run(self, args: Namespace | None = None) -> None:
        """Serve what the command line asks for.

        Args:
            args: The command line; None reads it.

        Raises:
            SystemExit: With the exit code, if it can't.
        """
        options = self.get_parser().parse_args() if args is None else args
        # Imported here: every command of anomalib asks for the parser, and has no use for the rest.
        from anogan_plugin.serving.command import serve

        code = serve(options)
        if code:
            raise SystemExit(code)

    def _setup_runners(self, args: dict[str, Any]) -> list[Any]:
        """None: a service is no job."""
        return []
