# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The answer in words, made from the numbers."""

import pandas as pd

from anogan_plugin.report.comparison.printed import best_row, tied_with_best
from anogan_plugin.report.comparison.ranking import mean_table
from anogan_plugin.report.comparison.rows import row_name
from anogan_plugin.report.comparison.tables import Tables

_RELIABLE_SEEDS = 3
_MOST_NAMES = 6


def answer(tables: Tables, data: str, overkill: float) -> list[str]:
    """What a data set's numbers say: which is best, how surely, at what cost, what it lets pass.

    Args:
        tables: Of the comparison.
        data: Name of the data set.
        overkill: Share of good images that thresholds may reject.

    Returns:
        Sentences, plain text.
    """
    summary = tables.summary[tables.summary.data == data]
    pairs = tables.pairs[tables.pairs.data == data]
    best = best_row(summary)
    if best is None:
        return ["No job is done yet."]
    row = summary[summary.model == best].iloc[0]
    detection = tables.detection[
        (tables.detection.data == data) & (tables.detection.model == best)
    ].iloc[0]
    return [
        f"{best} tells defects from good parts best: AUROC {row.auroc_mean:.4f} "
        f"(95 % interval {row.auroc_low:.4f} to {row.auroc_high:.4f}).",
        *_certainty(summary, pairs, best),
        *_by_kind(tables.by_defect[tables.by_defect.data == data], best),
        *_at_work(row, detection, overkill),
        *_cost(summary, pairs, best, row),
        *_doubt(summary),
    ]


def answer_over_data_sets(tables: Tables) -> list[str]:
    """What the numbers of several data sets say together.

    Args:
        tables: Of the comparison.

    Returns:
        Sentences, plain text; none where there is one data set, or no model is done on all.
    """
    means, count = mean_table(tables.summary), tables.summary.data.nunique()
    if count < 2 or means.empty:
        return []
    best = means.iloc[0]
    found = [
        f"Over {count} data sets the mean AUROC of {best.model} is the highest: {best.auroc:.4f}, "
        f"{best.lowest:.4f} at the least, on {best.lowest_on}."
    ]
    ranks = tables.ranks.table
    if ranks is not None:
        first, others = ranks.iloc[0], ranks.iloc[1:]
        groups = set(first.groups.split())
        tied = others[[bool(groups & set(each.split())) for each in others.groups]].model
        level = (
            f"not told apart from it: {_named(list(tied))}" if len(tied) else "no other is level"
        )
        found.append(
            f"By average rank {first.model} is first ({first.average_rank:.3g}); by Nemenyi's "
            f"test, {level}."
        )
    return found


def _named(models: list[str]) -> str:
    """As a list, of many the first ones."""
    if len(models) <= _MOST_NAMES:
        return "; ".join(models)
    return f"{'; '.join(models[: _MOST_NAMES - 1])}; and {len(models) - _MOST_NAMES + 1} others"


def _certainty(summary: pd.DataFrame, pairs: pd.DataFrame, best: str) -> list[str]:
    others = summary.dropna(subset="auroc_mean")
    others = others[others.model != best].sort_values("auroc_mean", ascending=False)
    if others.empty:
        return []
    tied = [model for model in others.model if model in tied_with_best(summary, pairs)]
    if not tied:
        second = others.iloc[0]
        gap = summary[summary.model == best].auroc_mean.iloc[0] - second.auroc_mean
        return [f"It is significantly better than all others, by {gap:.4f} than {second.model}."]
    return [f"Not significantly different from it: {_named(tied)}."]


def _by_kind(by_defect: pd.DataFrame, best: str) -> list[str]:
    """Types of defects on which another model has the higher AUROC; of those done in all seeds."""
    names = [row_name(each.model, each.score) for each in by_defect.itertuples()]
    of_each = by_defect.groupby([by_defect.defect_type, names]).auroc
    means = of_each.agg(lambda values: values.mean(skipna=False)).unstack().dropna()
    if len(means) < 2:
        return []
    better = [
        f"{kind} ({row.idxmax()}: {row.max():.4f} against {row[best]:.4f})"
        for kind, row in means.iterrows()
        if row.max() > row[best]
    ]
    if not better:
        return ["Its mean AUROC is the highest on every type of defect."]
    return [f"Another has a higher mean AUROC, which was not tested, on {'; '.join(better)}."]


def _at_work(row: pd.Series, detection: pd.Series, overkill: float) -> list[str]:
    found = []
    if pd.notna(row.escape_mean):
        found.append(
            f"With a threshold for {100 * overkill:g} % overkill it rejects "
            f"{100 * row.overkill_mean:.1f} % of the good test images and lets "
            f"{100 * row.escape_mean:.1f} % of the defects pass."
        )
    if pd.notna(detection.a90_95):
        found.append(
            f"Defects that cover {detection.a90_95:.3g} % of the image are found with 90 % "
            "probability at 95 % confidence (a90/95)."
        )
    return found


def _cost(summary: pd.DataFrame, pairs: pd.DataFrame, best: str, row: pd.Series) -> list[str]:
    if pd.isna(row.ms_batch_1):
        return []
    found = [f"It takes {row.ms_batch_1:.3g} ms per image, one at a time."]
    equal = summary[summary.model.isin(tied_with_best(summary, pairs))].dropna(subset="ms_batch_1")
    faster = equal[equal.ms_batch_1 < row.ms_batch_1].sort_values("ms_batch_1")
    if len(faster):
        quick = faster.iloc[0]
        found.append(
            f"{quick.model}, not significantly different, takes {quick.ms_batch_1:.3g} ms."
        )
    return found


def _doubt(summary: pd.DataFrame) -> list[str]:
    done = summary[summary.seeds_done > 0]
    found = []
    if done.seeds_done.min() < _RELIABLE_SEEDS:
        few = done.seeds_done < _RELIABLE_SEEDS
        names = "all models" if few.all() else _named(_of_rows(done[few]))
        found.append(
            f"Fewer than {_RELIABLE_SEEDS} seeds are done of {names}: how far another training "
            "would differ is not known."
        )
    partly = done.seeds_done < done.seeds_asked
    if partly.any():
        names = "all models" if partly.all() else _named(_of_rows(done[partly]))
        found.append(f"More seeds were asked for than are done of {names}.")
    if missing := len({*_of_rows(summary)} - {*_of_rows(done)}):
        found.append(f"Of {missing} other model{'s' if missing > 1 else ''} no job is done.")
    return found


def _of_rows(rows: pd.DataFrame) -> list[str]:
    """Names of the models of rows, whatever the scores."""
    return list(dict.fromkeys(rows.model.str.partition(" · ")[0]))
