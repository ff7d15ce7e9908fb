# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""All tables of a comparison, as data frames."""

from dataclasses import dataclass

import pandas as pd

from anogan_plugin.report.comparison.defect_size import detection_table
from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.job_tables import by_defect_table, results_table
from anogan_plugin.report.comparison.pairs import comparisons_table
from anogan_plugin.report.comparison.pairs_by_seed import by_seed_table, with_seeds_better
from anogan_plugin.report.comparison.ranking import Ranks, rank_table
from anogan_plugin.report.comparison.rows import Say, rows_of, silent
from anogan_plugin.report.comparison.summary import summary_table


@dataclass(frozen=True)
class Tables:
    """The tables of a comparison.

    Attributes:
        results: A row per job and column of scores.
        by_defect: A row per job, column of scores and type of defect.
        detection: Size of the defects found, a row per row of the summary.
        summary: A row per data set, model and column of scores.
        pairs: A row per pair of rows on one data set.
        by_seed: A row per pair of rows and seed.
        ranks: Over data sets.
    """

    results: pd.DataFrame
    by_defect: pd.DataFrame
    detection: pd.DataFrame
    summary: pd.DataFrame
    pairs: pd.DataFrame
    by_seed: pd.DataFrame
    ranks: Ranks


def make_tables(results: Results, say: Say = silent) -> Tables:
    """Make all tables.

    Args:
        results: A results folder whose scores have been read
            (:func:`~anogan_plugin.report.comparison.rows.checked`).
        say: Told what is being made.

    Returns:
        The tables.
    """
    rows = rows_of(results)
    jobs = results_table(rows, results.overkill)
    summary = summary_table(rows, jobs, say)
    by_seed = by_seed_table(rows)
    return Tables(
        results=jobs,
        by_defect=by_defect_table(rows, results.overkill),
        detection=detection_table(rows, results.overkill),
        summary=summary,
        pairs=with_seeds_better(comparisons_table(rows, say), by_seed),
        by_seed=by_seed,
        ranks=rank_table(summary),
    )
