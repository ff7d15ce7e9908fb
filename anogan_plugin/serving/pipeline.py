# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The subcommand ``anomalib serve``."""

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.subcommands.subcommand import Subcommand


class Serve(Subcommand):
    """Score images over HTTP.

    A page at / takes an image by hand, POST /score from a program. Ends on Ctrl-C or SIGTERM, when
    all that was taken has been answered.
    """

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """See :meth:`Subcommand.add_arguments`."""
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

    def execute(self, options: Namespace) -> int:
        """Serve a model; see :meth:`Subcommand.execute`."""
        from anogan_plugin.serving.command import serve

        return serve(options)
