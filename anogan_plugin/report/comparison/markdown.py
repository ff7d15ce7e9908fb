# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``summary.md``."""

import re
from typing import Any

import pandas as pd

from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.missing import not_run, remarks
from anogan_plugin.report.comparison.pairs import least_p_value
from anogan_plugin.report.comparison.printed import (
    Cell,
    best_row,
    caption,
    printed_cells,
    printed_columns,
    sentence,
)
from anogan_plugin.report.comparison.ranking import Ranks
from anogan_plugin.report.comparison.tables import Tables

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&#$])")


def summary_markdown(results: Results, tables: Tables) -> str:
    """The summary as Markdown.

    Args:
        results: The results folder.
        tables: Made of it.

    Returns:
        A section per data set, then sizes of defects, ranks, and what is not done.
    """
    data_sets = dict.fromkeys(job.data for job in results.jobs)
    parts = [
        "# Comparison",
        escape(sentence(results.description)),
        *(_data_set(results, tables, data) for data in data_sets),
        _sizes(tables.detection),
        _ranks(tables.ranks),
        _not_done(results, tables),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def escape(text: str) -> str:
    r"""Escape text from users for Markdown, also within a table.

    >>> escape("a|b_<c>")
    'a\\|b\\_\\<c\\>'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _data_set(results: Results, tables: Tables, data: str) -> str:
    summary = tables.summary[tables.summary.data == data]
    pairs = tables.pairs[tables.pairs.data == data]
    columns = printed_columns(summary)
    head = ["Model", *(column.title for column in columns)]
    cells = [[_cell(c) for c in row] for row in printed_cells(summary, pairs, columns)]
    parts = [
        f"## {escape(data)}",
        escape(caption(results, data, summary, pairs)),
        _table(head, cells),
        _against_best(summary, pairs),
    ]
    return "\n\n".join(filter(None, parts))


def _cell(cell: Cell) -> str:
    text = escape(cell.text) or "–"
    return (f"**{text}**" if cell.best and cell.text else text) + (" †" if cell.tied else "")


def _table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    lines = [head, ["---"] * left + ["---:"] * (len(head) - left), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _against_best(summary: pd.DataFrame, pairs: pd.DataFrame) -> str:
    best = best_row(summary)
    mine = pairs[(pairs["first"] == best) | (pairs["second"] == best)]
    if mine.empty:
        return ""
    rows = []
    there = set(summary[summary.seeds_done > 0].model)
    for _, pair in mine[mine["first"].isin(there) & mine["second"].isin(there)].iterrows():
        other, sign = (pair["second"], 1) if pair["first"] == best else (pair["first"], -1)
        if pd.isna(pair.p_value):
            rows.append([escape(other), str(pair.seeds), escape(pair.reason), *"–––"])
            continue
        low, high = sorted((sign * pair.low, sign * pair.high))
        # Adding 0 turns -0.0 into 0.0.
        difference, low, high = (round(x, 4) + 0.0 for x in (sign * pair.difference, low, high))
        shown, interval = f"{difference:+.4f}", f"[{low:+.4f}, {high:+.4f}]"
        better = pair.seeds_first_better if sign == 1 else pair.seeds_second_better
        least = "≤ " if pair.p_value <= least_p_value(pair.resamples) else ""
        p_holm, delong = f"{least}{pair.p_holm:.2g}", f"{better} of {pair.seeds}"
        rows.append([escape(other), str(pair.seeds), shown, escape(interval), p_holm, delong])
    if not rows:
        return ""
    head = [
        "AUROC of the best, less that of",
        "Common seeds",
        "ΔAUROC",
        "95 % interval",
        "p (Holm)",
        "Better by DeLong's test",
    ]
    return f"Best: {escape(best or '')}.\n\n{_table(head, rows)}"


def _sizes(detection: pd.DataFrame) -> str:
    shown = detection[(detection.seeds_done > 0) & (detection.defects > 0)]  # with masks
    if shown.empty:
        return ""
    head = ["Data", "Model", "Defects", "Found", "a90, %", "a90/95, %", "worst a90/95, %", "Reason"]
    rows = [
        [
            escape(row.data),
            escape(row.model),
            _number(row.defects, ".0f"),
            _number(row.found, ".3f"),
            *(_number(row[name], ".3g") for name in ("a90", "a90_95", "a90_95_worst")),
            escape(row.reason or row.caution or ""),
        ]
        for _, row in shown.astype(object).where(shown.notna(), None).iterrows()
    ]
    text = (
        "Area in % of the image that is found with a probability of 90 % (a90) and its upper 95 % "
        "confidence bound (a90/95), at the threshold for an overkill of "
        f"{100 * shown.overkill.iloc[0]:g} %: medians over seeds, each fitted alone, and the worst "
        "seed."
    )
    return f"## Size of defects found\n\n{text}\n\n{_table(head, rows, left=2)}"


def _number(value: float | None, style: str) -> str:
    return "–" if value is None else format(value, style)


def _ranks(ranks: Ranks) -> str:
    note = escape(ranks.note)
    if ranks.table is None:
        return f"## Ranks\n\nNone: {note}."
    first = ranks.table.iloc[0]
    text = (
        f"Average over {first.data_sets} data sets; Nemenyi's critical difference is "
        f"{first.critical_difference:.3f}, Friedman's p {first.friedman_p:.2g}. Models with a "
        "group in common are not told apart."
    )
    rows = [
        [escape(row.model), f"{row.average_rank:.2f}", row.groups]
        for _, row in ranks.table.iterrows()
    ]
    parts = ["## Ranks", text, _table(["Model", "Average rank", "Groups"], rows), note]
    return "\n\n".join(filter(None, parts))


def _after(reason: Any) -> str:
    return f": {escape(reason)}" if pd.notna(reason) else ""


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())


def _not_done(results: Results, tables: Tables) -> str:
    lines = [f"- Not run: {escape(line)}" for line in not_run(tables.results)]
    lines += [f"- {escape(line)}" for line in remarks(tables.results)]
    lines += [
        f"- {escape(row.model)}, {escape(row.data)}, seed {row.seed}: training{_after(row.problem)}"
        for row in tables.results.drop_duplicates("folder").itertuples()
        if pd.notna(row.problem)
    ]
    lines += [
        f"- {escape(job.model)}, {escape(job.data)}, seed {job.seed}: for want of memory trained "
        f"with {escape(_arguments(job.result['changed_arguments']))}."
        for job in results.jobs
        if job.result.get("changed_arguments")
    ]
    there = set(tables.results.score)
    lines += [
        f"- No job that is done has the column of scores {escape(name)}."
        for name in results.scores
        if name not in there
    ]
    return "## What is missing or doubtful\n\n" + "\n".join(lines) if lines else ""
