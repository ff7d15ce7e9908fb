# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``comparisons.csv``: every pair of rows of the summary on one data set."""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anogan_plugin.report.comparison.rows import Row, Say, silent
from anogan_plugin.report.comparison.summary import CONFIDENCE
from anogan_plugin.statistics.detection import auroc_of, image_auroc
from anogan_plugin.statistics.intervals import percentile_interval
from anogan_plugin.statistics.paired_tests import holm
from anogan_plugin.statistics.resampling import image_copies, resampled_means, seed_shares

LEVEL = 0.05
_FEWEST_RESAMPLES = 2000
_RESAMPLES_PER_TEST = 60  # Holm multiplies the smallest p-value by the tests
_AT_ONCE = 1000
_ROUNDING = 1e-12
PAIR_COLUMNS = (
    "data",
    "first",
    "second",
    "seeds",
    "same_training",
    "auroc_first",
    "auroc_second",
    "difference",
    "low",
    "high",
    "p_value",
    "p_holm",
    "tests",
    "resamples",
    "reason",
)


Key = tuple[str, str]
"""Model and column of scores."""


class SeedAurocs(NamedTuple):
    """AUROCs of a row, one per seed that is done.

    Attributes:
        measured: By seed, on the test set itself, in [0, 1].
        resampled: By seed, ``(R,)`` float64, in each resample of the images.
    """

    measured: dict[int, float]
    resampled: dict[int, NDArray[np.float64]]


def comparisons_table(rows: list[Row], say: Say = silent) -> pd.DataFrame:
    """All pairs of rows, tested on one data set.

    The hypothesis is that two methods have the same mean AUROC over trainings and images, so the
    bootstrap of seeds and images together judges it, as
    :func:`~anogan_plugin.statistics.paired_tests.bootstrap_test` does. DeLong's test speaks of
    one pair of trained weights
    (:func:`~anogan_plugin.report.comparison.pairs_by_seed.by_seed_table`); its p-values of several
    seeds cannot be combined, as all are of the same images. Seeds are drawn for each row by itself,
    but together for two ways to score with the same weights (``same_training``). Images are drawn
    once for all rows of a data set, which makes hundreds of pairs little dearer than a few.

    The family of Holm's correction is all pairs of rows on one data set: whoever reads off the
    best row has looked at all of them. Data sets are families of their own. There are 2,000
    resamples, or 60 per test of the family if that is more: with fewer the smallest p-value that
    can come out would not stay below 0.05.

    Args:
        rows: Of the summary.
        say: Told whose pairs are being tested.

    Returns:
        A row per pair: ``difference`` first − second of the mean AUROC over the ``seeds`` (a
        number) that both have, its 95 % interval ``low`` to ``high``, p-values, the number of
        ``tests`` in the family and of ``resamples``; ``reason`` says why a pair was not tested.
    """
    found: list[dict[str, Any]] = []
    for data in dict.fromkeys(row.data for row in rows):
        say(f"tests of pairs on {data}")
        found += _family([row for row in rows if row.data == data])
    return pd.DataFrame(found, columns=list(PAIR_COLUMNS))


def least_p_value(resamples: int) -> float:
    """The smallest p-value that so many resamples can give: what is smaller comes out as this."""
    return 2 / (resamples + 1)


def _family(rows: list[Row]) -> list[dict[str, Any]]:
    pairs = list(combinations(rows, 2))
    common = [sorted(_seeds(first) & _seeds(second)) for first, second in pairs]
    tests = sum(bool(seeds) for seeds in common)
    count = max(_FEWEST_RESAMPLES, _RESAMPLES_PER_TEST * tests)
    aurocs = seed_aurocs([row for row in rows if row.done], count)
    found = []
    for (first, second), seeds in zip(pairs, common, strict=True):
        head: dict[str, Any] = {
            "data": first.data,
            "first": first.name,
            "second": second.name,
            "seeds": len(seeds),
            "tests": tests,
        }
        if seeds:
            together = same_training(first, second)
            result = _tested(aurocs[_key(first)], aurocs[_key(second)], seeds, together)
            found.append({**head, **result, "same_training": together, "resamples": count})
        else:
            found.append({**head, "reason": "no seed is done of both"})
    tested = [each for each in found if "p_value" in each]
    if tested:
        adjusted = holm([each["p_value"] for each in tested])
        for each, value in zip(tested, adjusted, strict=True):
            each["p_holm"] = float(value)
    return found


def _seeds(row: Row) -> set[int]:
    return {job.seed for job in row.done}


def _key(row: Row) -> Key:
    return row.model, row.column


def seed_aurocs(rows: list[Row], resamples: int) -> dict[Key, SeedAurocs]:
    """AUROCs of each seed, on the test images and on resamples of them, the same for all rows.

    Args:
        rows: With a job done each, all on one data set.
        resamples: Number of resamples R.

    Returns:
        By model and column of scores.
    """
    rng = np.random.default_rng(0)
    scores = {
        _key(row): dict(zip([job.seed for job in row.done], row.test_scores(), strict=True))
        for row in rows
    }
    found = {
        _key(row): SeedAurocs(
            {seed: image_auroc(row.labels, values) for seed, values in scores[_key(row)].items()},
            {seed: np.empty(resamples) for seed in scores[_key(row)]},
        )
        for row in rows
    }
    for start in range(0, resamples if rows else 0, _AT_ONCE):
        labels = rows[0].labels == 1
        part = slice(start, min(start + _AT_ONCE, resamples))
        copies = image_copies(labels, part.stop - start, rng)
        alone = np.ones((len(copies), 1))
        for key, seeds in scores.items():
            for seed, values in seeds.items():
                aurocs = resampled_means(labels, values[None], auroc_of, copies, alone)
                found[key].resampled[seed][part] = aurocs
    return found


def same_training(first: Row, second: Row) -> bool:
    """Whether two rows score with the same trained weights, seed by seed.

    Args:
        first: A row.
        second: Another on the same data set.

    Returns:
        True for two scores of one model, and for two models that differ in scoring alone.
    """
    return first.model == second.model or (
        (trained := _training(first)) is not None and trained == _training(second)
    )


def _training(row: Row) -> dict[str, Any] | None:
    settings = row.asked[0].settings
    model = settings.get("model")
    if not isinstance(model, dict) or "trained_with" not in model:
        return None
    of_scoring = ("name", "init_args")
    return {**settings, "model": {k: v for k, v in model.items() if k not in of_scoring}}


def _tested(
    first: SeedAurocs, second: SeedAurocs, seeds: list[int], together: bool
) -> dict[str, float]:
    rng = np.random.default_rng(0)
    resampled = [
        np.stack([each.resampled[seed] for seed in seeds], axis=1) for each in (first, second)
    ]
    count = len(resampled[0])
    shares = seed_shares(len(seeds), count, rng)
    # Of two trainings, seed 3 of one has nothing to do with seed 3 of the other.
    others = shares if together else seed_shares(len(seeds), count, rng)
    differences = (resampled[0] * shares).sum(1) - (resampled[1] * others).sum(1)
    means = [float(np.mean([each.measured[seed] for seed in seeds])) for each in (first, second)]
    interval = percentile_interval(means[0] - means[1], differences, CONFIDENCE)
    return {
        "auroc_first": means[0],
        "auroc_second": means[1],
        "difference": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "p_value": _two_sided(differences),
    }


def _two_sided(differences: NDArray[np.float64]) -> float:
    """As in :func:`~anogan_plugin.statistics.paired_tests.bootstrap_test`."""
    rarer = min(np.sum(differences <= _ROUNDING), np.sum(differences >= -_ROUNDING))
    return min(1.0, float(rarer + 1) * least_p_value(len(differences)))
