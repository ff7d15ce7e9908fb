# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in the printed tables, before it is put into Markdown or LaTeX."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from anogan_plugin.report.comparison.conditions import not_alike
from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.pairs import LEVEL

_ENOUGH_SEEDS = 10  # of 5, nominal 95 % may cover 84 %: see statistics/intervals.py


class Cell(NamedTuple):
    """A cell of a printed table.

    Attributes:
        text: Plain text, not escaped.
        best: Whether no other row has a better value, as printed.
        tied: Whether it is not significantly different from the best.
    """

    text: str
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a printed table.

    Attributes:
        title: Its heading.
        text: What a row of the summary has in it; empty if nothing.
        ranked_by: Column of the summary whose best value is marked, or None.
        digits: Of that value as printed.
        higher: Whether higher is better.
        block: Which of the two narrower tables in LaTeX has it, too, 1 or 2; 0 for neither.
    """

    title: str
    text: Callable[[pd.Series], str]
    ranked_by: str | None = None
    digits: int = 3
    higher: bool = True
    block: int = 0


def _spread(name: str, digits: int = 3) -> Callable[[pd.Series], str]:
    def text(row: pd.Series) -> str:
        mean, deviation = row[f"{name}_mean"], row[f"{name}_sd"]
        if pd.isna(mean):
            return ""
        after = "" if pd.isna(deviation) else f" ± {deviation:.{digits}f}"
        return f"{mean:.{digits}f}{after}"

    return text


def _plain(name: str, style: str, scale: float = 1) -> Callable[[pd.Series], str]:
    return lambda row: "" if pd.isna(row[name]) else format(row[name] * scale, style)


def _milliseconds(name: str) -> Callable[[pd.Series], str]:
    def text(row: pd.Series) -> str:
        value = row[name]
        return "" if pd.isna(value) else format(value, ",.0f" if value >= 100 else ".3g")

    return text


def _interval(row: pd.Series) -> str:
    low, high = row["auroc_low"], row["auroc_high"]
    return "" if pd.isna(low) else f"[{low:.4f}, {high:.4f}]"


def _ranked(title: str, name: str, block: int = 0, **more: Any) -> Column:
    digits = more.get("digits", 3)
    return Column(title, _spread(name, digits), f"{name}_mean", block=block, **more)


AUROC = "AUROC"
COLUMNS = (
    Column("Seeds", lambda row: f"{row['seeds_done']} of {row['seeds_asked']}", block=1),
    _ranked(AUROC, "auroc", 1, digits=4),
    Column("95 % interval", _interval, block=1),
    _ranked("AUPR", "aupr", 1),
    _ranked("F1-max", "f1_max", 1),
    _ranked("FPR95", "fpr_at_95_tpr", 1, higher=False),
    _ranked("Escape", "escape", 2, higher=False),
    Column("Overkill", _spread("overkill"), block=2),
    _ranked("Best escape", "escape_at_overkill", 2, higher=False),
    _ranked("Overkill at 0 escape", "overkill_at_zero_escape", 2, higher=False),
    _ranked("Pixel AUROC", "pixel_auroc"),
    _ranked("AU-PRO", "pixel_aupro", 2),
    _ranked("Pixel F1-max", "pixel_f1_max"),
    Column("ms/image", _milliseconds("ms_batch_1"), block=2),
    Column("ms/image, batch 32", _milliseconds("ms_batch_32")),
    Column("Training, s", _plain("train_seconds", ",.0f")),
    Column("Parameters, M", _plain("parameters", ".2f", 1e-6)),
)


def printed_columns(summary: pd.DataFrame, block: int | None = None) -> tuple[Column, ...]:
    """The columns in which a row of the summary has something.

    Args:
        summary: Of one data set.
        block: Of which table in LaTeX; None for all columns.

    Returns:
        The columns.
    """
    wanted = [column for column in COLUMNS if block in (None, column.block)]
    return tuple(c for c in wanted if any(c.text(row) for _, row in summary.iterrows()))


def printed_cells(
    summary: pd.DataFrame, pairs: pd.DataFrame, columns: tuple[Column, ...]
) -> list[list[Cell]]:
    """The cells of a printed table.

    Args:
        summary: Of one data set.
        pairs: ``comparisons.csv`` of that data set.
        columns: From :func:`printed_columns`.

    Returns:
        A list per row: the model's name, then a cell per column.
    """
    tied = tied_with_best(summary, pairs)
    best = {column.title: _best(summary, column) for column in columns}
    return [
        [
            Cell(row["model"]),
            *(
                Cell(
                    column.text(row),
                    row["model"] in best[column.title],
                    column.title == AUROC and row["model"] in tied,
                )
                for column in columns
            ),
        ]
        for _, row in summary.iterrows()
    ]


def best_row(summary: pd.DataFrame) -> str | None:
    """Name of the row with the highest mean AUROC on one data set, None if no row has one."""
    done = summary.dropna(subset="auroc_mean")
    return None if done.empty else str(done.model[done.auroc_mean.astype(float).idxmax()])


def tied_with_best(summary: pd.DataFrame, pairs: pd.DataFrame) -> set[str]:
    """Rows whose AUROC is not significantly different from the best, tested or not testable.

    Args:
        summary: Of one data set.
        pairs: ``comparisons.csv`` of that data set.

    Returns:
        Their names, without the best.
    """
    best = best_row(summary)
    done = set(summary.model[summary.auroc_mean.notna()])
    against = pairs[((pairs["first"] == best) | (pairs["second"] == best)) & (pairs.p_holm < LEVEL)]
    return done - {best} - {*against["first"], *against["second"]}


def caption(results: Results, data: str, summary: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What must be known to read the table of one data set.

    Args:
        results: The results folder.
        data: Name of the data set.
        summary: Of that data set.
        pairs: ``comparisons.csv`` of that data set.

    Returns:
        Plain text: images, seeds, how each number came about, settings of searches, and what was
        not computed alike.
    """
    seeds = sorted({job.seed for job in results.jobs if job.data == data})
    sentences = [
        f"{data}: {_images(summary)}; {'seed' if len(seeds) == 1 else 'seeds'} "
        f"{', '.join(map(str, seeds))}.",
        "Mean ± sample standard deviation over the seeds done, and the 95 % interval of the mean "
        "AUROC over seeds and images.",
        _few(summary),
        "Escape (defects passed) and overkill (good images rejected): at a threshold from held-out "
        f"good images for an overkill of {100 * results.overkill:g} %. Best escape: with the "
        "threshold that the test images themselves would give for it; overkill at 0 escape: with "
        "that which lets none of their defects pass.",
        _marks(pairs),
        *_searches(results, data, summary),
        *not_alike(job for job in results.jobs if job.data == data),
    ]
    return " ".join(filter(None, sentences))


def _best(summary: pd.DataFrame, column: Column) -> set[str]:
    if column.ranked_by is None:
        return set()
    values = summary[column.ranked_by].astype(float).round(column.digits)
    best = values.max() if column.higher else values.min()
    return set(summary.model[values == best])


def _images(summary: pd.DataFrame) -> str:
    done = summary.dropna(subset="good_images")
    if done.empty:
        return "no job is done"
    good, anomalous = int(done.good_images.iloc[0]), int(done.anomalous_images.iloc[0])
    return f"{good:,} good and {anomalous:,} anomalous test images"


def _few(summary: pd.DataFrame) -> str:
    seeds = summary.seeds_done[summary.seeds_done > 0]
    if seeds.empty or seeds.min() >= _ENOUGH_SEEDS:
        return ""
    few = "With few seeds it is too short, and p-values are too small"
    return f"{few}; with one it covers images alone." if seeds.min() == 1 else f"{few}."


def _marks(pairs: pd.DataFrame) -> str:
    tests = int(np.nan_to_num(pairs.tests.astype(float).max())) if len(pairs) else 0
    if not tests:
        return "Bold: best."
    return (
        f"Bold: best; †: AUROC not significantly different from the best (p ≥ {LEVEL:g}, "
        f"Holm-adjusted for {tests} {'pair' if tests == 1 else 'pairs'}, or not tested)."
    )


def _searches(results: Results, data: str, summary: pd.DataFrame) -> list[str]:
    """How each model that searches does so; the number of steps taken is the mean over seeds."""
    jobs = {job.model: job for job in reversed(results.jobs) if job.data == data}
    found = []
    for model in dict.fromkeys(job.model for job in results.jobs if job.data == data):
        settings = _search_settings(jobs[model].settings)
        steps = summary.search_steps[summary.model == model].astype(float).dropna()
        if len(steps):
            settings.append(f"{steps.iloc[0]:.4g} steps taken on average")
        if settings:
            found.append(f"Search of {model}: {', '.join(settings)}.")
    return found


def _search_settings(settings: dict[str, Any]) -> list[str]:
    model = settings.get("model")
    arguments = model.get("init_args") if isinstance(model, dict) else None
    if not isinstance(arguments, dict):
        return []
    return [
        f"{name} {value}"
        for name, value in arguments.items()
        if name.startswith("search") and value is not None
    ]


def sentence(text: str) -> str:
    """Text from a user as one line with a full stop."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
