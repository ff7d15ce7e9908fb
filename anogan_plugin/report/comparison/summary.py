# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``summary.csv``: each model on each data set over its seeds."""

from typing import Any

import pandas as pd

from anogan_plugin.report.comparison.job_tables import PIXEL, whole
from anogan_plugin.report.comparison.rows import Row, Say, silent
from anogan_plugin.statistics.intervals import (
    Interval,
    cell_interval,
    mean_and_deviation,
    perfect_auroc_bound,
)

CONFIDENCE = 0.95
_SPREAD = {
    "auroc": "image_auroc",
    "aupr": "image_aupr",
    "f1_max": "image_f1_max",
    "fpr_at_95_tpr": "fpr_at_95_tpr",
    "escape": "escape_on_test",
    "overkill": "overkill_on_test",
    "escape_at_overkill": "escape_at_overkill",
    "overkill_at_zero_escape": "overkill_at_zero_escape",
    **dict(zip(PIXEL, PIXEL, strict=True)),
}
"""Columns of the summary with mean and deviation, and those of ``results.csv`` they are of."""
_MEANS = ("train_seconds", "epochs", "search_steps")
_MEDIANS = ("ms_batch_1", "ms_batch_32", "peak_memory_mib", "parameters")
_COUNTS = ("good_images", "anomalous_images", "parameters")
SUMMARY_COLUMNS = (
    "data",
    "model",
    "seeds_done",
    "seeds_asked",
    "seeds_with_problem",
    "good_images",
    "anomalous_images",
    "auroc_mean",
    "auroc_sd",
    "auroc_low",
    "auroc_high",
    *(f"{name}_{kind}" for name in _SPREAD if name != "auroc" for kind in ("mean", "sd")),
    *_MEANS,
    *_MEDIANS,
)


def summary_table(rows: list[Row], results: pd.DataFrame, say: Say = silent) -> pd.DataFrame:
    """Means over the seeds that are done.

    Args:
        rows: Of the summary.
        results: From :func:`~anogan_plugin.report.comparison.job_tables.results_table`.
        say: Told which interval is being made.

    Returns:
        A row per row: ``seeds_done`` of ``seeds_asked``; ``…_mean`` and ``…_sd``, the sample
        deviation (of single trainings, NaN for one); ``auroc_low`` and ``auroc_high``, the 95 %
        interval that resamples seeds and images together, of one seed images alone; means of
        seconds, epochs and steps of the search; medians of milliseconds per image (of the seeds
        that were timed), of MiB and of the number of parameters. A mean that one of the seeds done
        has no value for is NaN.
    """
    cells = {
        key: part[part.status == "done"]
        for key, part in results.groupby(["data", "model", "score"], sort=False)
    }
    found = []
    for row in rows:
        say(f"interval of {row.name} on {row.data}")
        found.append(_cell(row, cells[row.data, row.model, row.column]))
    return whole(pd.DataFrame(found, columns=list(SUMMARY_COLUMNS)), _COUNTS)


def auroc_interval(row: Row) -> Interval:
    """Mean AUROC over seeds with its 95 % interval.

    Where every seed separates the classes, every resample does, too; the lower end is then what
    so many images can promise.

    Args:
        row: With at least one seed done.

    Returns:
        The interval.
    """
    labels, scores = row.labels, row.test_scores()
    interval = cell_interval(labels, scores, "auroc", CONFIDENCE)
    if interval.low < 1:
        return interval
    anomalous = int(labels.sum())
    good = len(labels) - anomalous
    return interval._replace(low=perfect_auroc_bound(good, anomalous, (1 + CONFIDENCE) / 2))


def _cell(row: Row, results: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {
        "data": row.data,
        "model": row.name,
        "seeds_done": len(results),
        "seeds_asked": len(row.asked),
        "seeds_with_problem": int(results.problem.notna().sum()),
    }
    if results.empty:
        return found
    anomalous = int(row.labels.sum())
    found |= {"good_images": len(row.labels) - anomalous, "anomalous_images": anomalous}
    for name, column in _SPREAD.items():
        values = results[column].dropna().to_numpy(float)
        # A mean over some of the seeds done would be of another thing than the one beside it.
        if len(values) == len(results):
            found[f"{name}_mean"], found[f"{name}_sd"] = mean_and_deviation(values)
    _, found["auroc_low"], found["auroc_high"] = auroc_interval(row)
    found |= {name: results[name].astype(float).mean() for name in _MEANS}
    return found | {name: results[name].astype(float).median() for name in _MEDIANS}
