# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models over several data sets: mean AUROC, and ``ranks.csv``, where there are enough of them."""

from typing import NamedTuple

import pandas as pd

from anogan_plugin.statistics.ranks import compare_ranks


class Ranks(NamedTuple):
    """Average ranks, or why there are none.

    Attributes:
        table: A row per model, best first; None if there are too few data sets or models.
        note: Why there is no table, or which models are not in it.
    """

    table: pd.DataFrame | None
    note: str


def mean_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Mean AUROC of the models over data sets.

    Args:
        summary: From :func:`~anogan_plugin.report.comparison.summary.summary_table`.

    Returns:
        ``model``, ``seeds``, the fewest done on a data set, ``auroc``, the mean over data sets,
        ``lowest`` of them and ``lowest_on`` which data set, the best mean first; models without a
        seed done on some data set are left out.
    """
    # Two rows of one name, "A · local" and the score local of A, are none that can be ranked.
    rows = summary[~summary.duplicated(["data", "model"], keep=False)]
    values = rows.pivot(index="data", columns="model", values="auroc_mean")
    values = values.dropna(axis="columns")
    table = pd.DataFrame({"auroc": values.mean(), "lowest": values.min()})
    table = table.assign(
        lowest_on=[values[model].idxmin() for model in table.index],
        seeds=rows.groupby("model").seeds_done.min().reindex(table.index),
    )
    table = table.sort_values("auroc", ascending=False, kind="stable")
    return table.rename_axis("model").reset_index()


def rank_table(summary: pd.DataFrame) -> Ranks:
    """Rank the models by mean AUROC on each data set.

    Args:
        summary: From :func:`~anogan_plugin.report.comparison.summary.summary_table`.

    Returns:
        ``model``, ``average_rank`` (1 is best), the number of ``data_sets``, Nemenyi's
        ``critical_difference``, Friedman's ``friedman_p``, and ``groups``: numbers of the sets of
        models that are not told apart. Models without a seed done on some data set are left out.
    """
    try:
        values = summary.pivot(index="data", columns="model", values="auroc_mean")
        complete = values.dropna(axis="columns")
        result = compare_ranks(complete)
    except ValueError as error:
        return Ranks(None, str(error))
    ranks = result.average_ranks
    groups = {
        name: " ".join(str(i) for i, group in enumerate(result.groups, 1) if name in group)
        for name in ranks.index
    }
    table = pd.DataFrame(
        {
            "model": ranks.index,
            "average_rank": ranks.to_numpy(),
            "data_sets": len(complete),
            "critical_difference": result.critical_difference,
            "friedman_p": result.p_value,
            "groups": [groups[name] for name in ranks.index],
        }
    )
    names = ", ".join(str(name) for name in values if name not in complete)
    return Ranks(table, f"not ranked, as not done on every data set: {names}" if names else "")
