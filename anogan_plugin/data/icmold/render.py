# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Command that renders a set, or paints defects on a folder of photographs.

``python -m anogan_plugin.data.icmold.render --help``
"""

import argparse
import sys
from pathlib import Path

from anogan_plugin.data.image_io import find_images
from anogan_plugin.data.image_set import Manifest
from anogan_plugin.data.image_set.painted import PaintPlan, paint_set
from anogan_plugin.data.image_set.rendered import RenderPlan, render_set
from anogan_plugin.rendering import DEFECT_KINDS

from .folder_layout import match_by_stem


def main(arguments: list[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: Command line; ``None``: that of the process.

    Raises:
        SystemExit: If something is wrong with the arguments or the images, with a sentence.
    """
    options = _parser().parse_args(arguments)
    try:
        root = options.run(options)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    counts = Manifest.read(root).counts
    print(f"{root}: " + ", ".join(f"{count:,} in {folder}" for folder, count in counts.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anogan_plugin.data.icmold.render",
        description="Make pictures of IC packages with and without moulding defects.",
    )
    commands = parser.add_subparsers(required=True, metavar="set|paint")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seed", type=int, default=0, help="seed of every picture")
    shared.add_argument(
        "--workers", type=int, help="processes, which change no byte (default: one a processor)"
    )
    _add_set(commands, shared)
    _add_paint(commands, shared)
    return parser


def _add_set(commands: "argparse._SubParsersAction", shared: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "set", parents=[shared], help="render a set", formatter_class=_HelpWithDefaults
    )
    command.add_argument("root", type=Path, help="folder to write; must not exist")
    plan = RenderPlan()
    for option, default, meaning in (
        ("--train-good", plan.train_good, "good images to train on"),
        ("--test-good", plan.test_good, "good test images"),
        ("--test-defects", plan.test_defects, "defective test images, split evenly among kinds"),
        ("--size", plan.image_size, "height and width in pixels"),
    ):
        command.add_argument(option, type=int, default=default, metavar="N", help=meaning)
    _add_kinds(command, list(plan.defects))
    command.set_defaults(run=_render)


def _add_paint(commands: "argparse._SubParsersAction", shared: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "paint",
        parents=[shared],
        help="paint defects on photographs of good parts",
        formatter_class=_HelpWithDefaults,
    )
    command.add_argument("photographs", type=Path, help="folder of photographs of good parts")
    command.add_argument("--count", type=int, metavar="N", help="painted images; one a photograph")
    command.add_argument("--body-mask", type=Path, help="folder of masks of the package bodies")
    _add_kinds(command, ["short_fill"])
    command.set_defaults(run=_paint)


class _HelpWithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, except where there is none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def _add_kinds(command: argparse.ArgumentParser, default: list[str]) -> None:
    command.add_argument(
        "--defects", nargs="+", default=default, choices=DEFECT_KINDS, help="kinds of defects"
    )


def _render(options: argparse.Namespace) -> Path:
    if options.root.exists():
        raise FileExistsError(f"{options.root} exists: delete it, or give another folder.")
    plan = RenderPlan(
        train_good=options.train_good,
        test_good=options.test_good,
        test_defects=options.test_defects,
        defects=tuple(options.defects),
        seed=options.seed,
        image_size=options.size,
    )
    render_set(options.root, plan, options.workers)
    return options.root


def _paint(options: argparse.Namespace) -> Path:
    photographs = find_images(options.photographs)
    if not photographs:
        raise FileNotFoundError(f"{options.photographs} has no images: correct the path.")
    plan = PaintPlan(
        tuple(photographs),
        tuple(options.defects),
        len(photographs) if options.count is None else options.count,
        options.seed,
        match_by_stem(photographs, options.body_mask) if options.body_mask else {},
    )
    return paint_set(options.photographs.resolve(), plan, options.workers)


if __name__ == "__main__":
    main()
