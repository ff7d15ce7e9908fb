# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models compared over several data sets, by their ranks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range

from anogan_plugin.statistics.checks import share

_FEWEST_DATA_SETS = 5
_FEWEST_MODELS = 3


@dataclass(frozen=True)
class RankComparison:
    """Average ranks of k models over N data sets, and how far apart they must be.

    Attributes:
        average_ranks: By model, best first; 1 is the best possible.
        critical_difference: Nemenyi: two models differ if their average ranks do by more.
        statistic: Friedman's χ², corrected for ties.
        p_value: Of Friedman's test that all models are alike, in [0, 1]. Above the level, the
            groups mean nothing.
        groups: Largest sets of models, neighbours in rank, that are not told apart: the bars of a
            critical-difference diagram. Only sets of two or more.
    """

    average_ranks: pd.Series
    critical_difference: float
    statistic: float
    p_value: float
    groups: list[tuple[str, ...]]


def compare_ranks(values: pd.DataFrame, level: float = 0.05) -> RankComparison:
    """Friedman's test and Nemenyi's critical difference (Demšar 2006).

    ``CD = q · √(k (k + 1) / (6 N))``, q the upper quantile of the studentized range of k values
    with infinite degrees of freedom, divided by √2.

    Each data set counts as one draw from all data sets that one might care about. The seeds of a
    model on one data set are not such draws, and are refused: they share the data, and enough of
    them would make any difference significant. Average them first. Parts of one set, such as the
    ten digits of MNIST, are not refused but are little better.

    Args:
        values: One row per data set, one column per model: float, higher is better, such as the
            AUROC averaged over seeds.
        level: Of both tests, in (0, 1).

    Returns:
        The comparison. Models with equal values share the mean of their ranks.

    Raises:
        ValueError: If a data set or model appears twice, there are fewer than 5 data sets or 3
            models, a value is missing or infinite, or ``level`` is not in (0, 1).

    Example:
        >>> table = {"A": [0.9, 0.8, 0.9, 0.7, 0.9], "B": [0.8, 0.7, 0.8, 0.6, 0.8]}
        >>> table |= {"C": [0.6, 0.5, 0.7, 0.5, 0.6]}
        >>> result = compare_ranks(pd.DataFrame(table, index=["a", "b", "c", "d", "e"]))
        >>> result.average_ranks.to_dict(), round(result.critical_difference, 3)
        ({'A': 1.0, 'B': 2.0, 'C': 3.0}, 1.482)
        >>> result.groups
        [('A', 'B'), ('B', 'C')]
    """
    _check(values)
    sets, models = values.shape
    ranks = values.rank(axis="columns", ascending=False).mean().sort_values(kind="stable")
    quantile = studentized_range.isf(share(level, "level"), models, np.inf) / np.sqrt(2)
    critical = float(quantile * np.sqrt(models * (models + 1) / (6 * sets)))
    if (values.nunique(axis="columns") == 1).all():
        statistic, p_value = 0.0, 1.0  # Friedman's formula would be 0 / 0
    else:
        statistic, p_value = friedmanchisquare(*values.to_numpy(float).T)
    groups = _groups(ranks, critical)
    return RankComparison(ranks, critical, float(statistic), float(p_value), groups)


def _check(values: pd.DataFrame) -> None:
    for kind, names in (("data set", values.index), ("model", values.columns)):
        if names.has_duplicates:
            twice = names[names.duplicated()].unique().tolist()
            msg = (
                f"the {kind}s {twice} appear more than once: ranks are compared over different "
                "data sets, one row each; average the seeds of a model on a data set first"
            )
            raise ValueError(msg)
    sets, models = values.shape
    if sets < _FEWEST_DATA_SETS or models < _FEWEST_MODELS:
        msg = (
            f"ranks need at least {_FEWEST_DATA_SETS} data sets and {_FEWEST_MODELS} models, got "
            f"{sets} and {models}: compare the models in pairs, on each data set"
        )
        raise ValueError(msg)
    missing = ~np.isfinite(values.to_numpy(float))
    if missing.any():
        row, column = np.argwhere(missing)[0]
        msg = (
            f"{int(missing.sum())} values are missing or infinite, the first of model "
            f"{values.columns[column]!r} on {values.index[row]!r}: run it, or leave the model out"
        )
        raise ValueError(msg)


def _groups(ranks: pd.Series, critical: float) -> list[tuple[str, ...]]:
    groups: list[tuple[str, ...]] = []
    end_before = 0
    for start in range(len(ranks)):
        end = int(np.count_nonzero(ranks - ranks.iloc[start] <= critical))
        if end - start > 1 and end > end_before:
            groups.append(tuple(ranks.index[start:end]))
        end_before = max(end_before, end)
    return groups
