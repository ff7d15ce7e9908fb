# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Figures of one data set: for the page as SVG, for print as PDF, SVG and PNG."""

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from scipy.stats import norm

from anogan_plugin.files import write_atomically
from anogan_plugin.report.comparison.defect_size import pod_of
from anogan_plugin.report.comparison.folder import OWN_SCORE, Results
from anogan_plugin.report.comparison.pairs import same_training
from anogan_plugin.report.comparison.rows import Row
from anogan_plugin.report.comparison.tables import Tables
from anogan_plugin.report.page.curves import det_curves, pareto_front, pr_curves, roc_curves
from anogan_plugin.report.page.rank_figure import draw_ranks

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d1f")
"""Okabe & Ito's, told apart by colour-blind eyes; lines differ by their dashes, too."""
_DASHES = ("-", "--", "-.", ":")
_WIDTH, _HEIGHT, _LINE = 4.8, 3.4, 0.16  # in inches; a line of the legend
_FORMATS = ("pdf", "svg", "png")
_DPI = 200
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "anogan_plugin",  # the same results give the same file
    "pdf.fonttype": 42,
    "text.parse_math": False,  # names are of users: `$` would begin a formula
}


def _log_x(axis: Axes) -> None:
    """A logarithmic axis with plain numbers: formulas are off."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


Draw = Callable[[Axes, list[Row], pd.DataFrame, Results], bool]
"""Draws rows of one data set, with their part of the summary; False if there is nothing to draw."""


def _style_of(index: int) -> dict[str, Any]:
    dashes = _DASHES[index // len(COLOURS) % len(_DASHES)]
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": dashes}


def _banded(axis: Axes, rows: list[Row], curves: Callable[..., tuple[np.ndarray, ...]]) -> None:
    for index, row in enumerate(rows):
        x, y, low, high = curves(row.labels, row.test_scores())
        style = _style_of(index)
        axis.plot(x, y, label=row.name, linewidth=1.3, **style)
        if len(row.done) > 1:
            axis.fill_between(x, low, high, color=style["color"], alpha=0.12, linewidth=0)


def _roc(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    _banded(axis, rows, roc_curves)
    axis.plot([0, 1], [0, 1], color="grey", linewidth=0.7)
    axis.set(xlabel="good images rejected (FPR)", ylabel="defects found (TPR)")
    return True


def _precision_recall(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    _banded(axis, rows, pr_curves)
    axis.set(xlabel="defects found (recall)", ylabel="defects among rejected (precision)")
    return True


def _det(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    _banded(axis, rows, det_curves)
    ticks = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95])
    labels = [f"{100 * tick:g} %" for tick in ticks]
    axis.set_xticks(norm.ppf(ticks), labels)
    axis.set_yticks(norm.ppf(ticks), labels)
    limits = norm.ppf([0.0008, 0.97])
    axis.set(xlim=limits, ylim=limits, xlabel="overkill (FPR)", ylabel="escape (1 − TPR)")
    return True


def _cost(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    timed = summary.dropna(subset=["ms_batch_1", "auroc_mean"])
    if timed.empty:
        return False
    cost, auroc = timed.ms_batch_1.to_numpy(float), timed.auroc_mean.to_numpy(float)
    front = pareto_front(cost, auroc)
    axis.plot(cost[front], auroc[front], color="grey", linewidth=0.8, drawstyle="steps-post")
    for index, (_, row) in enumerate(timed.iterrows()):
        on_front = index in front
        axis.errorbar(
            row.ms_batch_1,
            row.auroc_mean,
            yerr=[[row.auroc_mean - row.auroc_low], [row.auroc_high - row.auroc_mean]],
            marker="o" if on_front else "x",
            color=COLOURS[index % len(COLOURS)],
            markersize=5,
            elinewidth=0.8,
            linestyle="none",
            label=row.model,
        )
    _log_x(axis)
    axis.set(xlabel="ms per image, one at a time", ylabel="AUROC, 95 % interval")
    axis.set_title("● on the Pareto front", fontsize=8)
    return True


def _detection(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    drawn = False
    for index, row in enumerate(rows):
        try:
            curve = pod_of(row.done[0], row.column, results.overkill)
        except ValueError:
            continue
        defects = row.done[0].test.defect_area
        sizes = np.geomspace(defects[defects > 0].min() * 100, defects.max() * 100, 80)
        probability = curve.probability(sizes)
        if not np.isfinite(probability).all():
            continue
        style = _style_of(index)
        bound = "" if curve.a90_95 is None else f" ({curve.a90_95:.2g} %)"
        axis.plot(sizes, probability, label=f"{row.name}{bound}", linewidth=1.3, **style)
        low, high = curve.band(sizes)
        axis.fill_between(sizes, low, high, color=style["color"], alpha=0.08, linewidth=0)
        drawn = True
    axis.axhline(0.9, color="grey", linewidth=0.7)
    axis.set_title("in brackets: a90/95", fontsize=8)
    _log_x(axis)
    axis.set(
        xlabel="area of the defect, % of the image",
        ylabel=f"probability of detection at {100 * results.overkill:g} % overkill",
        ylim=(0, 1.02),
    )
    return drawn


def _steps(axis: Axes, rows: list[Row], summary: pd.DataFrame, results: Results) -> bool:
    searched = summary.dropna(subset=["search_steps", "auroc_mean"])
    searched = searched[searched.search_steps > 0].sort_values("search_steps")
    if searched.search_steps.nunique() < 2:
        return False
    for line in _of_one_training(rows, searched):
        axis.plot(line.search_steps, line.auroc_mean, color="grey", linewidth=0.8)
    for index, (_, row) in enumerate(searched.iterrows()):
        axis.errorbar(
            row.search_steps,
            row.auroc_mean,
            yerr=[[row.auroc_mean - row.auroc_low], [row.auroc_high - row.auroc_mean]],
            marker="o",
            color=COLOURS[index % len(COLOURS)],
            linestyle="none",
            label=row.model,
        )
    _log_x(axis)
    axis.set(xlabel="steps of the search per image", ylabel="AUROC, 95 % interval")
    return True


def _of_one_training(rows: list[Row], searched: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows that score the same weights by the same score, with different searches."""
    left = [row for row in rows if row.name in set(searched.model)]
    found = []
    while left:
        first = left[0]
        alike = [x for x in left if same_training(first, x) and _score_of(x) == _score_of(first)]
        found.append(searched[searched.model.isin([row.name for row in alike])])
        left = [row for row in left if row not in alike]
    return found


def _score_of(row: Row) -> tuple[str, object]:
    """Which score a row is of; the model's own is what its arguments say."""
    model = row.asked[0].settings.get("model")
    arguments = model.get("init_args") if isinstance(model, dict) else None
    own = arguments.get("image_score") if isinstance(arguments, dict) else None
    return row.column, own if row.column == OWN_SCORE else None


FIGURES: dict[str, tuple[str, Draw]] = {
    "roc": ("Receiver operating characteristic", _roc),
    "precision_recall": ("Precision and recall", _precision_recall),
    "det": ("Detection error trade-off", _det),
    "cost": ("Accuracy against cost", _cost),
    "detection": ("Probability of detection", _detection),
    "steps": ("Accuracy against steps of the search", _steps),
}
"""Figures of one data set by the name that the command line knows: title, and what draws them."""
RANKS = "ranks"
"""The figure over all data sets."""
NAMES = (*FIGURES, RANKS)


def draw(name: str, rows: list[Row], summary: pd.DataFrame, results: Results) -> Figure | None:
    """Draw a figure of one data set.

    Args:
        name: One of :data:`FIGURES`.
        rows: Of the data set, with a job done each.
        summary: Their part of the summary.
        results: The results folder.

    Returns:
        The figure; None if the results have nothing for it.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(layout="constrained")
        axis = figure.subplots()
        if not FIGURES[name][1](axis, rows, summary, results):
            return None
        handles, labels = axis.get_legend_handles_labels()
        # Below the axes: among a dozen curves there is no room for it.
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        figure.set_size_inches(_WIDTH, _HEIGHT + _LINE * math.ceil(len(labels) / 2))
        return figure


def draw_over_data_sets(ranks: pd.DataFrame) -> Figure:
    """Draw how the models rank over the data sets.

    Args:
        ranks: ``ranks.csv``.

    Returns:
        The figure.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(
            figsize=(_WIDTH * 1.5, 1.6 + _LINE * 1.5 * len(ranks)), layout="constrained"
        )
        draw_ranks(figure.subplots(), ranks)
        return figure


def as_svg(figure: Figure) -> str:
    """A figure as SVG text, with no date in it."""
    stream = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def write_figures(
    output: Path,
    results: Results,
    rows: list[Row],
    tables: Tables,
    names: tuple[str, ...] = NAMES,
) -> list[Path]:
    """Write figures for print, each as PDF, SVG and PNG.

    Args:
        output: Folder of the comparison; they go to ``figures/print``.
        results: The results folder.
        rows: Of the summary.
        tables: Made of the results.
        names: Which of :data:`NAMES`.

    Returns:
        The files, ``NAME-N.pdf`` and so on for the N-th data set, ``ranks.pdf`` for all of them.

    Raises:
        OSError: If a file can't be written.
    """
    written = []
    folder, summary = output / "figures" / "print", tables.summary
    for number, data in enumerate(dict.fromkeys(row.data for row in rows), start=1):
        mine = [row for row in rows if row.data == data and row.done]
        for name in [each for each in names if each in FIGURES] if mine else []:
            figure = draw(name, mine, summary[summary.data == data], results)
            if figure is not None:
                written += _saved(figure, folder / f"{name.replace('_', '-')}-{number}")
    if RANKS in names and tables.ranks.table is not None:
        written += _saved(draw_over_data_sets(tables.ranks.table), folder / RANKS)
    return written


def _saved(figure: Figure, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(f".{kind}") for kind in _FORMATS]
    for path, kind in zip(paths, _FORMATS, strict=True):
        dated = {"CreationDate": None} if kind == "pdf" else {"Date": None} if kind == "svg" else {}

        def save(part: Path, kind: str = kind, dated: dict[str, None] = dated) -> None:
            with mpl.rc_context(_STYLE):
                figure.savefig(part, format=kind, dpi=_DPI, metadata=dated)

        write_atomically(path, save)
    return paths
