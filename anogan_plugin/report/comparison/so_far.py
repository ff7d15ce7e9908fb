# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The table that is shown while a comparison runs."""

from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from anogan_plugin.report.comparison.folder import (
    DONE,
    OWN_SCORE,
    TEST,
    JobRecord,
    UnreadableError,
    read_results,
)
from anogan_plugin.report.comparison.rows import Row, cells_of
from anogan_plugin.statistics.detection import image_auroc
from anogan_plugin.statistics.intervals import mean_and_deviation

_Stamp = tuple[str, int, int]
_AUROCS: dict[_Stamp, dict[str, float]] = {}
"""AUROC by column of scores, of each table of scores read by this process."""


def table_so_far(output: Path) -> Table:
    """Mean AUROC over the seeds that are done, cheap enough to be asked for every second.

    Scores are read once; a later call looks only whether files have changed.

    Args:
        output: Folder of the comparison.

    Returns:
        A row per data set, model and column of scores; without rows if there is no
        ``comparison.json`` yet.
    """
    table = Table("data", "model", "seeds", "AUROC")
    try:
        results = read_results(output)
    except UnreadableError:
        return table
    for (data, model), jobs in cells_of(results).items():
        aurocs = [_aurocs(job, results.scores) for job in jobs]
        columns = [name for name in results.scores if any(name in found for found in aurocs)]
        for column in columns or [OWN_SCORE]:
            values = [found[column] for found in aurocs if column in found]
            name = Row(data, model, column, jobs).name
            cells = (data, name, f"{len(values)} of {len(jobs)}", _in_words(values))
            # Text: a name may hold what rich takes for a style.
            table.add_row(*(Text(cell) for cell in cells))
    return table


def _in_words(values: list[float]) -> str:
    if not values:
        return ""
    mean, deviation = mean_and_deviation(values)
    return f"{mean:.4f}" + ("" if np.isnan(deviation) else f" ± {deviation:.4f}")


def _auroc(job: JobRecord, column: str) -> float:
    test = job.scores.split == TEST  # no need to sort them
    return image_auroc(job.scores.label[test], job.scores[column][test])


def _aurocs(job: JobRecord, columns: tuple[str, ...]) -> dict[str, float]:
    """AUROC by column, of those that can be used."""
    path = job.path / "scores.parquet"
    if job.state != DONE or not path.exists():
        return {}
    stamp = (str(path.absolute()), path.stat().st_mtime_ns, path.stat().st_size)
    found = _AUROCS.setdefault(stamp, {})
    for column in columns:
        if column not in found:
            trouble = job.trouble_with(column)
            found[column] = float("nan") if trouble else _auroc(job, column)
    return {column: value for column, value in found.items() if np.isfinite(value)}
