# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``report.html``: one file, from the results folder alone, that loads nothing."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from anogan_plugin.files import write_text
from anogan_plugin.report.comparison.folder import FAILED, Results
from anogan_plugin.report.comparison.missing import not_run
from anogan_plugin.report.comparison.printed import (
    caption,
    printed_cells,
    printed_columns,
    sentence,
)
from anogan_plugin.report.comparison.ranking import mean_table
from anogan_plugin.report.comparison.rows import Row, row_name, rows_of
from anogan_plugin.report.comparison.tables import Tables
from anogan_plugin.report.page.answer import answer, answer_over_data_sets
from anogan_plugin.report.page.citations import citations
from anogan_plugin.report.page.figures import FIGURES, as_svg, draw, draw_over_data_sets
from anogan_plugin.report.page.gallery import PANELS, gallery

PAGE = "report.html"
_DIGITS = 5


def write_page(output: Path, results: Results, tables: Tables) -> None:
    """Write ``report.html``.

    Everything in it stands in the file: no address is asked for, and a policy forbids it. Names of
    models, defects and files are escaped wherever they stand.

    Args:
        output: Folder of the comparison.
        results: Its results, whose scores have been read.
        tables: Made of them.

    Raises:
        OSError: If it can't be written.
    """
    rows = rows_of(results)
    names = list(dict.fromkeys(row.data for row in rows))
    shown = gallery(rows)
    context = {
        "description": sentence(results.description),
        "overkill": results.overkill,
        "data_sets": [_data_set(results, tables, rows, data) for data in names],
        "over_all": _over_data_sets(tables),
        "examples": shown.examples,
        "left_out": shown.left_out,
        "panels": PANELS,
        "failed": _failed(tables.results),
        "not_run": not_run(tables.results),
        **_reproduction(output, results),
    }
    write_text(output / PAGE, _rendered(context, _score_data(results, rows)))


def _rendered(context: dict[str, Any], scores: list[dict[str, Any]]) -> str:
    folder = files("anogan_plugin.report.page") / "templates"
    script, style = ((folder / name).read_text("utf-8") for name in ("page.js", "page.css"))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((folder / "page.html").read_text("utf-8"))
    return template.render(
        **context,
        script=Markup(script),
        style=Markup(style),
        script_hash=_hash(script),
        style_hash=_hash(style),
        scores=Markup(_json_in_html(scores)),
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json_in_html(value: object) -> str:
    """JSON that no name in it can end early: ``</script>`` has no ``<`` any more."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data_set(results: Results, tables: Tables, rows: list[Row], data: str) -> dict[str, Any]:
    summary = tables.summary[tables.summary.data == data]
    pairs = tables.pairs[tables.pairs.data == data]
    begun = summary[summary.seeds_done > 0]
    columns = printed_columns(begun)
    done = [row for row in rows if row.data == data and row.done]
    return {
        "name": data,
        "answer": answer(tables, data, results.overkill),
        "titles": [column.title for column in columns],
        "rows": printed_cells(begun, pairs, columns),
        "caption": caption(results, data, summary, pairs),
        "by_defect": _by_defect(tables.by_defect[tables.by_defect.data == data]),
        "figures": _figures(done, summary, results),
    }


def _figures(done: list[Row], summary: pd.DataFrame, results: Results) -> list[dict[str, str]]:
    found = []
    for name, (title, _) in FIGURES.items() if done else ():
        figure = draw(name, done, summary, results)
        if figure is not None:
            found.append({"title": title, "address": _address(figure)})
    return found


def _over_data_sets(tables: Tables) -> dict[str, Any]:
    """Of several; with ranks where there are enough of them."""
    words, ranks = answer_over_data_sets(tables), tables.ranks.table
    if not words:
        return {}
    means = mean_table(tables.summary).to_dict("records")
    found: dict[str, Any] = {"answer": words, "means": means, "ranks": None}
    if ranks is not None:
        first = ranks.iloc[0]
        found["ranks"] = {
            "address": _address(draw_over_data_sets(ranks)),
            "data_sets": first.data_sets,
            "p_value": first.friedman_p,
            "note": tables.ranks.note,
        }
    return found


def _address(figure: Figure) -> str:
    svg = base64.b64encode(as_svg(figure).encode()).decode()
    return f"data:image/svg+xml;base64,{svg}"


def _by_defect(table: pd.DataFrame) -> dict[str, Any]:
    """AUROC and escape by type of defect, means over seeds."""
    if table.defect_type.nunique() < 2:
        return {}
    kinds = sorted(table.defect_type.unique())
    means = table.groupby(["model", "score", "defect_type"], sort=False)[["auroc", "escape"]].mean()
    lines = []
    for model, score in dict.fromkeys(zip(table.model, table.score, strict=True)):
        found = [means.loc[(model, score, kind)] for kind in kinds]
        lines.append(
            [row_name(model, score), *(f"{each.auroc:.3f} / {each.escape:.3f}" for each in found)]
        )
    return {"kinds": kinds, "lines": lines}


def _score_data(results: Results, rows: list[Row]) -> list[dict[str, Any]]:
    """Scores of the first seed that is done of each row, for the histograms."""
    found = []
    for row in rows:
        if not row.done:
            continue
        job = row.done[0]
        scores = job.test[row.column].to_numpy(float)
        held_out = job.held_out[row.column].to_numpy(float)
        unit = _unit(np.concatenate([scores[row.labels == 0], held_out]), scores)
        found.append(
            {
                "data": row.data,
                "name": row.name,
                "seed": job.seed,
                "unit": unit,
                "good": _steps(scores[row.labels == 0], unit),
                "bad": _steps(scores[row.labels == 1], unit),
                "held_out": _steps(held_out, unit),
                "overkill": results.overkill,
            }
        )
    return found


def _unit(good: np.ndarray, scores: np.ndarray) -> float:
    """What scores are rounded to: the last of a middling good one's digits."""
    sizes, all_sizes = (np.abs(some[some != 0]) for some in (good, np.append(good, scores)))
    if not len(all_sizes):
        return 1.0
    middle = np.median(sizes if len(sizes) else all_sizes)
    least = all_sizes.max() / 2**50  # a script has whole numbers up to 2 to the power of 53
    return float(max(10.0 ** (np.floor(np.log10(middle)) + 1 - _DIGITS), least))


def _steps(values: np.ndarray, unit: float) -> list[int]:
    """From each to the next larger one: a third as long as the values, of which there are many."""
    return [int(step) for step in np.diff(np.rint(np.sort(values) / unit), prepend=0)]


def _failed(table: pd.DataFrame) -> list[str]:
    failed = table[table.status == FAILED]
    lines = [f"{r.model} on {r.data}, seed {r.seed}: {r.reason}" for r in failed.itertuples()]
    return list(dict.fromkeys(lines))


def _reproduction(output: Path, results: Results) -> dict[str, Any]:
    done = [job for job in results.jobs if job.result]
    environments = [dict(job.result.get("environment") or {}) for job in done]
    images = {
        job.data: str(environment.pop("images", "not known"))
        for job, environment in zip(done, environments, strict=True)
    }
    version = str(environments[0].get("anogan_plugin", "")) if environments else ""
    distinct = list(dict.fromkeys(json.dumps(each, sort_keys=True) for each in environments))
    return {
        "folder": output.name,
        "configuration": results.configuration,
        "environments": [json.loads(each) for each in distinct],
        "images": images,
        "bibtex": citations([job.class_name for job in done], version),
    }
