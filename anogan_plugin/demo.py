# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A small run from rendered images to pictures and figures: ``python -m anogan_plugin.demo``."""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from anogan_plugin.report.figures import score_histograms, stack_strips, typical_images
from anogan_plugin.report.scores import IMAGE_SCORES, image_aurocs, read_scores


def main(arguments: list[str] | None = None) -> None:
    """Train AnoGAN on a small set of IC moulds, test it, leave pictures and figures."""
    options = _parser().parse_args(arguments)
    begin = time.monotonic()
    console = Console()
    console.print(f"Training AnoGAN on {options.images} good images for {options.epochs} epochs.")
    scores = train_and_test(options)
    table = read_scores(scores)
    figures = {**write_figures(table, scores.parent, options.output), "seed": options.seed}
    figures["minutes"] = round((time.monotonic() - begin) / 60, 1)
    figures["machine"] = f"{os.cpu_count()} cores, {platform.machine()}"
    (options.output / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    _print_summary(console, table, options.output, scores.parent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m anogan_plugin.demo", description=main.__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("results/demo"), help="folder for everything it leaves"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("datasets/icmold_demo"), help="folder of the rendered set"
    )
    parser.add_argument("--images", type=int, default=600, help="good images to train on")
    parser.add_argument(
        "--test-images", type=int, default=120, help="test images, half of them good"
    )
    parser.add_argument("--epochs", type=int, default=50, help="passes over the training images")
    parser.add_argument("--steps", type=int, default=300, help="steps of the latent search, Γ")
    parser.add_argument("--width", type=int, default=32, help="width of the networks")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and batches")
    return parser


def train_and_test(options: argparse.Namespace) -> Path:
    """Run anogan_plugin's model and data through anomalib's engine.

    Args:
        options: The demo's command line.

    Returns:
        The table of scores, in the folder that also holds the pictures and the checkpoint.
    """
    from anomalib.engine import Engine
    from lightning import seed_everything

    from anogan_plugin import AnoGAN, ICMold

    seed_everything(options.seed, verbose=False)
    half = options.test_images // 2
    data = ICMold(
        root=options.data,
        train_good=options.images,
        test_good=half,
        test_defects=options.test_images - half,
        train_batch_size=16,
    )
    model = AnoGAN(width=options.width, search_steps=options.steps)
    engine = Engine(max_epochs=options.epochs, default_root_dir=options.output, devices=1)
    engine.train(model, datamodule=data)
    return Path(engine.trainer.default_root_dir) / "scores_test.csv"


def write_figures(table: pd.DataFrame, run: Path, output: Path) -> dict[str, object]:
    """Draw ``histograms.png`` and ``examples.png``.

    Args:
        table: Scores of the test images.
        run: Results folder of the run, with its strips in ``images/``.
        output: Where to write.

    Returns:
        Figures of the run: AUROC of each image score, number of images.
    """
    score_histograms(table).savefig(output / "histograms.png", dpi=130)
    chosen = typical_images(table)
    folders = [Path(path).parent.name for path in chosen.image_path]
    labels = [
        f"{folder.replace('_', ' ')}:\nscore at its\n{rank:.0%} quantile"
        for folder, rank in zip(folders, chosen["rank"], strict=True)
    ]
    stack_strips([run / picture for picture in chosen.picture], labels).save(
        output / "examples.png"
    )
    return {
        "image_auroc": image_aurocs(table),
        "good_images": int((table.label == 0).sum()),
        "defect_images": int((table.label == 1).sum()),
    }


def _print_summary(console: Console, table: pd.DataFrame, output: Path, run: Path) -> None:
    summary = Table("image score", "AUROC", title=f"{len(table)} test images")
    for name, value in image_aurocs(table).items():
        summary.add_row(IMAGE_SCORES[name], f"{value:.3f}")
    console.print(summary)
    left = {
        "good, reconstruction, difference, heat map": output / "examples.png",
        "score histograms": output / "histograms.png",
        "figures": output / "figures.json",
        "one picture per image": run / "images",
        "samples of the generator while it trained": run / "samples",
        "raw scores": run / "scores_test.csv",
        "checkpoint": run / "weights" / "lightning" / "model.ckpt",
    }
    for what, where in left.items():
        console.print(f"{what}: {where}", soft_wrap=True)


if __name__ == "__main__":
    main()
