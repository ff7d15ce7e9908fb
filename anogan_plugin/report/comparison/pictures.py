# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of a comparison: histograms of scores, and images with what the models make of them."""

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from anogan_plugin.files import write_atomically
from anogan_plugin.report.comparison.folder import JobRecord, Results, read_results
from anogan_plugin.report.comparison.rows import Row, Say, checked, rows_of, silent
from anogan_plugin.statistics.detection import image_auroc

GOOD_COLOUR, DEFECT_COLOUR = "#0072b2", "#d55e00"  # Okabe & Ito: told apart by colour-blind eyes
_BINS = 25
_COLUMNS = 3
_PANELS = {"image": "image", "mask": "defect", "reconstruction": "reconstruction", "map": "map"}
_DPI = 110


def write_pictures(output: Path, say: Say = silent) -> None:
    """Draw what the tables can't show, of the first seed that is done.

    Writes ``figures/histograms-N.png`` for the N-th data set: the scores of good and anomalous test
    images by every model (the paper's figures 4 and 5). ``figures/examples-MODEL-DATA-SEED.png``:
    test images chosen by their scores, beside what a model makes of them.

    Args:
        output: Folder of a comparison.
        say: Told what is being drawn.

    Raises:
        UnreadableError: If ``comparison.json`` is not there or broken.
        OSError: If a picture can't be written.
    """
    results = checked(read_results(output))
    folder = output / "figures"
    rows = [row for row in rows_of(results) if row.done]
    for number, data in enumerate(dict.fromkeys(row.data for row in rows), start=1):
        say(f"histograms of {data}")
        figure = histograms([row for row in rows if row.data == data])
        _save(figure, folder / f"histograms-{number}.png")
    for job in _first_seeds(results):
        say(f"examples of {job.model} on {job.data}")
        readable = job.path.name.rpartition("-")[0]  # without the key
        # A job is good without pictures: none may be there, or broken ones.
        with contextlib.suppress(OSError, ValueError, KeyError):
            _save(examples(job), folder / f"examples-{readable}.png")


def histograms(rows: list[Row]) -> Figure:
    """Histograms of the test images' scores, good against anomalous.

    Args:
        rows: Of one data set, with a job done each.

    Returns:
        A panel per row, with its AUROC.
    """
    lines = math.ceil(len(rows) / _COLUMNS)
    figure = Figure(figsize=(3.6 * _COLUMNS, 2.7 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
    for axis, row in zip(panels, rows, strict=False):
        _draw_histogram(axis, row)
    for axis in panels[len(rows) :]:
        axis.axis("off")
    panels[0].legend(frameon=False, fontsize=8)
    title = f"{rows[0].data}: anomaly scores of the test images; the last bar holds all beyond"
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_histogram(axis: Axes, row: Row) -> None:
    test = row.done[0].test
    scores = test[row.column].to_numpy(float)
    end = _end(scores[test.label == 0])
    shown = np.minimum(scores, end) if end > scores.min() else scores
    edges = np.histogram_bin_edges(shown, _BINS).tolist()
    for label, kind, colour in ((0, "good", GOOD_COLOUR), (1, "anomalous", DEFECT_COLOUR)):
        values = shown[test.label == label]
        axis.hist(values, edges, alpha=0.6, color=colour, label=f"{kind} ({len(values)})")
    auroc = image_auroc(test.label.to_numpy(), scores)
    # Names are of users: `$` would begin a formula.
    axis.set_title(f"{row.name}: AUROC {auroc:.3f}", fontsize=9, parse_math=False)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _end(good: np.ndarray) -> float:
    """Where a histogram ends: defects far beyond all good images would leave those one bar."""
    middle, tail = np.quantile(good, [0.5, 0.99])
    return tail + 2 * (tail - middle)


def _first_seeds(results: Results) -> list[JobRecord]:
    first: dict[tuple[str, str], JobRecord] = {}
    for row in rows_of(results):
        if row.done:
            first.setdefault((row.data, row.model), row.done[0])
    return list(first.values())


def examples(job: JobRecord) -> Figure:
    """The worst and the typical test images with what the model makes of them.

    Args:
        job: With a folder ``examples``.

    Returns:
        A line per image, by falling score: image, defect, reconstruction and map, as far as the
        model and the data have them. Maps are on one scale.
    """
    folder = job.path / "examples"
    listed = json.loads((folder / "examples.json").read_text(encoding="utf-8"))["examples"]
    listed.sort(key=lambda each: -each["score"])
    kinds = [kind for kind in _PANELS if any(kind in each["files"] for each in listed)]
    size = (1.9 + 1.05 * len(kinds), 0.4 + 1.05 * len(listed))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(listed), len(kinds), squeeze=False)
    for line, each in zip(grid, listed, strict=True):
        for axis, kind in zip(line, kinds, strict=True):
            _draw_panel(axis, folder, each["files"].get(kind), kind)
        text = f"{each['defect_type']}\n{each['reason']}\n{each['score']:.4g}"
        line[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7, parse_math=False)
    for axis, kind in zip(grid[0], kinds, strict=True):
        axis.set_title(_PANELS[kind], fontsize=8)
    figure.suptitle(f"{job.model} on {job.data}", fontsize=9, parse_math=False)
    return figure


def _draw_panel(axis: Axes, folder: Path, name: str | None, kind: str) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    if name is None:
        return
    options: dict[str, Any] = {"cmap": "inferno" if kind == "map" else "gray"}
    with Image.open(folder / name) as picture:
        axis.imshow(np.asarray(picture), vmin=0, vmax=255, interpolation="nearest", **options)


def _save(figure: Figure, path: Path) -> None:
    write_atomically(path, lambda part: figure.savefig(part, dpi=_DPI))
