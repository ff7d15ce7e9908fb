# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Nakaoka & Kimoto's figures 4 and 5: histograms of A(x) after 500 and after 100,000 steps.

One search gives both: the score is noted at 500 steps, and an image stops once 500 more lower its
loss by less than a tolerance. What that leaves out is measured on a few images that are searched to
the last step. An interrupted run goes on where it was. Example:

    python results/paper_histograms/run.py --checkpoint model.ckpt --data datasets/icmold
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import cast

import pandas as pd
import torch
from anomalib.pre_processing import PreProcessor
from matplotlib.figure import Figure
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from anogan_plugin import AnoGAN, ICMold, LatentSearch
from anogan_plugin.data.image_dataset import ImageFileDataset
from anogan_plugin.latent_search import SearchResult, search_settings
from anogan_plugin.models.components.progress import search_bar
from anogan_plugin.report.comparison.pictures import DEFECT_COLOUR, GOOD_COLOUR

HERE = Path(__file__).parent
FIRST_MARK = 500


class Images:
    """Test images as the networks take them, read when they are asked for."""

    def __init__(self, data: ImageFileDataset, model: AnoGAN) -> None:
        self._data = data
        self._model = model

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> torch.Tensor:
        transform = cast(PreProcessor, self._model.pre_processor).transform
        assert transform is not None
        image = cast(torch.Tensor, self._data[index].image)
        return self._model.model.images_of(transform(image[None]))[0]


def main() -> None:
    """Search, write the scores, draw the histograms."""
    parser = _parser()
    options = parser.parse_args()
    if options.steps < FIRST_MARK:
        parser.error(f"--steps must be at least {FIRST_MARK}")
    if options.images and not 2 <= options.proof <= options.images:
        parser.error("--proof must be at least 2, one of each label, and no more than --images")
    torch.set_num_threads(options.threads)
    model = cast(AnoGAN, AnoGAN.load_from_checkpoint(options.checkpoint, map_location="cpu"))
    data = ICMold(root=options.data)
    data.setup()
    per_label = options.images // 2 if options.images else len(data.test_data)
    subset = data.test_subset(per_label)
    labels = subset.samples.label_index.to_numpy()
    found, seconds = _search(model.eval(), subset, options, "all", options.tolerance)
    table = pd.DataFrame(
        {
            "image": subset.samples.image_path.map(lambda path: "/".join(Path(path).parts[-2:])),
            "label": labels,
            f"score_{FIRST_MARK}": found.score_at[:, 0],
            "score": found.score,
            "steps": found.steps,
            "converged": found.converged,
        }
    )
    table.to_csv(HERE / "scores.csv", index=False, float_format="%.6g")
    _histograms(table, options.steps).savefig(HERE / "histograms.png", dpi=130)
    figures = {
        "checkpoint": str(options.checkpoint),
        "width": model.settings.width,
        "images": len(table),
        "steps": options.steps,
        "tolerance": options.tolerance,
        "window": search_settings("paper").stop_window,
        "precision": options.precision,
        "auroc_500": roc_auc_score(labels, table[f"score_{FIRST_MARK}"]),
        "auroc": roc_auc_score(labels, table.score),
        "steps_taken": int(table.steps.sum()),
        "mean_steps": float(table.steps.mean()),
        "converged": int(table.converged.sum()),
        "minutes": seconds / 60,
        "machine": f"{os.cpu_count()} cores, {options.threads} threads, {platform.machine()}",
        "torch": torch.__version__,
    }
    figures["proof"] = _proof(model, data, options, table)
    (HERE / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="AnoGAN's model.ckpt")
    parser.add_argument("--data", type=Path, required=True, help="root of ICMold")
    parser.add_argument("--steps", type=int, default=100_000, help="most steps per image, Γ")
    parser.add_argument("--images", type=int, help="test images, half of them good; default: all")
    parser.add_argument(
        "--tolerance", type=float, default=0.002, help="an image stops below this fall of its loss"
    )
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument(
        "--proof", type=int, default=16, help="images to search all the way, half of them good"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


def _search(
    model: AnoGAN, data: ImageFileDataset, options: argparse.Namespace, name: str, tolerance: float
) -> tuple[SearchResult, float]:
    settings = search_settings(
        "paper", steps=options.steps, stop_tolerance=tolerance, precision=options.precision
    )
    networks = (model.model.generator.as_chain(), model.model.discriminator.features)
    search = LatentSearch(*networks, model.settings.latent_size, settings)
    saved = HERE.parent / "runs" / "paper_histograms" / f"{name}.pt"
    clock = saved.with_suffix(".seconds")
    before = float(clock.read_text()) if clock.exists() else 0.0  # of a run that was interrupted
    saved.parent.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    try:
        found = search(
            Images(data, model), marks=(FIRST_MARK,), progress=search_bar(), save_to=saved
        )
    finally:
        seconds = before + time.monotonic() - begin
        clock.write_text(str(seconds))
    return found, seconds


def _proof(
    model: AnoGAN, data: ICMold, options: argparse.Namespace, stopped: pd.DataFrame
) -> dict[str, float]:
    """What going on to the last step changes, on a random part of the images."""
    subset = data.test_subset(options.proof // 2)
    full, seconds = _search(model, subset, options, "proof", 0.0)
    names = subset.samples.image_path.map(lambda path: "/".join(Path(path).parts[-2:]))
    then = stopped.set_index("image").score.loc[list(names)].to_numpy()
    difference = abs(then - full.score.numpy()) / full.score.numpy()
    labels = subset.samples.label_index.to_numpy()
    return {
        "images": len(subset),
        "largest_relative_difference": float(difference.max()),
        "mean_relative_difference": float(difference.mean()),
        "spearman": float(spearmanr(then, full.score).statistic),
        "auroc_stopped": roc_auc_score(labels, then),
        "auroc_full": roc_auc_score(labels, full.score),
        "minutes": seconds / 60,
    }


def _histograms(table: pd.DataFrame, steps: int) -> Figure:
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    columns = {f"score_{FIRST_MARK}": FIRST_MARK, "score": steps}
    scores = table[list(columns)].to_numpy()
    for axis, (column, count) in zip(panels, columns.items(), strict=True):
        for label, kind, colour in ((0, "good", GOOD_COLOUR), (1, "short fill", DEFECT_COLOUR)):
            values = table.loc[table.label == label, column]
            axis.hist(
                values,
                40,
                range=(scores.min(), scores.max()),
                alpha=0.6,
                color=colour,
                label=f"{kind} {len(values)}",
            )
        auroc = roc_auc_score(table.label, table[column])
        steps_taken = f"up to {count:,}" if column == "score" else f"{count}"
        axis.set_title(f"{steps_taken} steps: AUROC {auroc:.3f}", fontsize=10)
        axis.set_xlabel("A(x)")
        axis.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("images")
    panels[0].legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    main()
