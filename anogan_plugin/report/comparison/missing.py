# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What was not run and what has failed, in few lines of many jobs."""

import pandas as pd

from anogan_plugin.report.comparison.folder import NOT_RUN


def not_run(table: pd.DataFrame) -> list[str]:
    """Say which jobs have not been run.

    Args:
        table: The rows of ``results.csv``.

    Returns:
        A line per model, as "VAE: seeds 1, 2 on digit 0; seeds 0, 1, 2 on digit 1, digit 2"; the
        data sets are left out where they are all.
    """
    missing = table[table.status == NOT_RUN].groupby("model", sort=False)
    return [f"{model}: {_where(rows, table)}" for model, rows in missing]


def remarks(table: pd.DataFrame) -> list[str]:
    """Say what there is to say of jobs that have been run.

    Args:
        table: The rows of ``results.csv``.

    Returns:
        A line per model and reason, with the scores, seeds and data sets that it is of.
    """
    there = table[(table.status != NOT_RUN) & table.reason.notna()]
    lines = []
    for (model, status, reason), rows in there.groupby(["model", "status", "reason"], sort=False):
        scores = ", ".join(dict.fromkeys(rows.score))
        lines.append(f"{model} ({scores}), {_where(rows, table)}: {status}: {reason}")
    return lines


def _where(rows: pd.DataFrame, table: pd.DataFrame) -> str:
    by_seeds: dict[str, list[str]] = {}
    for data, seeds in rows.groupby("data", sort=False).seed:
        found = sorted(set(seeds))
        text = f"seed{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"
        by_seeds.setdefault(text, []).append(str(data))
    if [len(data_sets) for data_sets in by_seeds.values()] == [table.data.nunique()]:
        return next(iter(by_seeds))
    return "; ".join(f"{seeds} on {', '.join(data)}" for seeds, data in by_seeds.items())
