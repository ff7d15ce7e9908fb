# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The base of every subcommand."""

from abc import abstractmethod
from typing import Any

from anomalib.pipelines.components.base import Pipeline
from jsonargparse import ArgumentParser, Namespace


class Subcommand(Pipeline):
    """A subcommand of ``anomalib``; its docstring is what ``--help`` says first."""

    @staticmethod
    @abstractmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Add the arguments of the command line.

        Args:
            parser: An empty one.
        """

    @abstractmethod
    def execute(self, options: Namespace) -> int:
        """Do what the command line asks for.

        Every command of anomalib asks for the parsers of all, and has no use for the rest: what
        this needs is imported in it.

        Args:
            options: The command line.

        Returns:
            The exit code.
        """

    @classmethod
    def get_parser(cls, parser: ArgumentParser | None = None) -> ArgumentParser:
        """Make the parser of the command line.

        Args:
            parser: One to use as it is.

        Returns:
            The parser.
        """
        if parser is None:
            parser = ArgumentParser(description=cls.__doc__)
            cls.add_arguments(parser)
        return parser

    def run(self, args: Namespace | None = None) -> None:
        """Do what the command line asks for.

        Args:
            args: The command line; None reads it.

        Raises:
            SystemExit: With the exit code, unless it is 0.
        """
        code = self.execute(self.get_parser().parse_args() if args is None else args)
        if code:
            raise SystemExit(code)

    def _setup_runners(self, args: dict[str, Any]) -> list[Any]:
        """None of anomalib's: one job that fails can cost the results of all, and none goes on."""
        return []
