# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``comparisons_by_seed.csv``: every pair of rows of the summary, one training at a time."""

from itertools import combinations
from typing import Any

import pandas as pd

from anogan_plugin.report.comparison.pairs import LEVEL
from anogan_plugin.report.comparison.rows import Row
from anogan_plugin.report.comparison.summary import CONFIDENCE
from anogan_plugin.statistics.detection import image_auroc
from anogan_plugin.statistics.paired_tests import delong_test, holm

_PAIR = ["data", "first", "second"]
_COLUMNS = (
    *_PAIR,
    "seed",
    "auroc_first",
    "auroc_second",
    "difference",
    "low",
    "high",
    "p_value",
    "p_holm",
    "tests",
    "reason",
)


def by_seed_table(rows: list[Row]) -> pd.DataFrame:
    """DeLong's test of all pairs of rows on one data set, seed by seed.

    It asks whether these two sets of weights differ, on other images of the kind. Whether the two
    methods do is for :func:`~anogan_plugin.report.comparison.pairs.comparisons_table`, which draws
    trainings, too. The family of Holm's correction is all pairs of one seed on one data set.

    Args:
        rows: Of the summary.

    Returns:
        A row per pair and seed that both have: ``difference`` first − second of the AUROC, its
        95 % interval ``low`` to ``high``, p-values, the number of ``tests`` in the family;
        ``reason`` says why a pair was not tested.
    """
    families: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for first, second in combinations(rows, 2):
        if first.data != second.data:
            continue
        common = {job.seed for job in first.done} & {job.seed for job in second.done}
        for seed in sorted(common):
            families.setdefault((first.data, seed), []).append(_tested(first, second, seed))
    for family in families.values():
        _adjust(family)
    found = [each for family in families.values() for each in family]
    return pd.DataFrame(found, columns=list(_COLUMNS))


def with_seeds_better(pairs: pd.DataFrame, by_seed: pd.DataFrame) -> pd.DataFrame:
    """Count the seeds in which either of a pair is better.

    Args:
        pairs: From :func:`~anogan_plugin.report.comparison.pairs.comparisons_table`.
        by_seed: From :func:`by_seed_table`.

    Returns:
        ``pairs`` with ``seeds_first_better`` and ``seeds_second_better``: how often DeLong's test,
        Holm-adjusted, finds it so at the level 0.05.
    """
    told_apart = by_seed[by_seed.p_holm.astype(float) < LEVEL]
    counted = [
        told_apart[told_apart.difference * sign > 0].groupby(_PAIR).size() for sign in (1, -1)
    ]
    keys = pd.MultiIndex.from_frame(pairs[_PAIR])
    first, second = (counts.reindex(keys, fill_value=0).to_numpy(int) for counts in counted)
    return pairs.assign(seeds_first_better=first, seeds_second_better=second)


def _tested(first: Row, second: Row, seed: int) -> dict[str, Any]:
    labels = first.labels
    mine, others = (row.test_scores([seed])[0] for row in (first, second))
    found: dict[str, Any] = {
        "data": first.data,
        "first": first.name,
        "second": second.name,
        "seed": seed,
        "auroc_first": image_auroc(labels, mine),
        "auroc_second": image_auroc(labels, others),
    }
    try:
        result = delong_test(labels, mine, others, CONFIDENCE)
    except ValueError as error:
        return {**found, "reason": str(error)}
    difference = result.difference
    return {
        **found,
        "difference": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "p_value": result.p_value,
    }


def _adjust(family: list[dict[str, Any]]) -> None:
    tested = [each for each in family if "p_value" in each]
    if tested:
        adjusted = holm([each["p_value"] for each in tested])
        for each, value in zip(tested, adjusted, strict=True):
            each["p_holm"] = float(value)
    for each in family:
        each["tests"] = len(tested)
