# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The table of all models, made from ``results.jsonl``, ``times.jsonl`` and ``scores/``."""

from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

HERE = Path(__file__).parent
MNIST = "mnist"
COLUMNS = {"icmold": "IC mould", "chip 74LS00": "74LS00", "chip 74LS47": "74LS47", MNIST: "MNIST"}
DIGITS = range(10)


def measured() -> pd.DataFrame:
    """Every job that has ended, with the AUROC of its scores and its times.

    Returns:
        One row per job, in the order of the file; ``auroc`` is that of the model's own image score,
        ``auroc_local`` that of the largest local residual, where the model has one.
    """
    results = HERE / "results.jsonl"
    if not results.exists():
        return pd.DataFrame({"model": []})
    jobs = pd.read_json(results, lines=True)
    jobs = jobs[jobs.error.isna()].drop_duplicates(["row", "data", "seed"], keep="last")
    aurocs = pd.DataFrame(
        [_aurocs(job) for job in jobs.itertuples()], columns=["auroc", "auroc_local"]
    )
    jobs = jobs.reset_index(drop=True).join(aurocs)
    times = HERE / "times.jsonl"
    if not times.exists():
        return jobs.assign(ms=float("nan"), ms_batched=float("nan"))
    timed = pd.read_json(times, lines=True).query("error.isna()")
    return jobs.merge(timed[["row", "data", "seed", "ms", "ms_batched"]], "left")


def _aurocs(job: object) -> dict[str, float]:
    name = f"{job.row}_{job.data}_{job.seed}".replace(", ", "_").replace(" ", "_")
    scores = pd.read_csv(HERE / "scores" / f"{name}.csv.gz")
    columns = {"auroc": "score", "auroc_local": "local"}
    return {
        key: roc_auc_score(scores.label, scores[column])
        for key, column in columns.items()
        if column in scores
    }


def table(model: str | None = None) -> str:
    """AUROC by model and data set, with what it costs.

    Args:
        model: Class name, for the rows of one model only.

    Returns:
        A table in Markdown.
    """
    jobs = measured()
    if model is not None:
        jobs = jobs[jobs.model == model]
    if not len(jobs):
        return "Not measured yet."
    lines = [
        "| model | "
        + " | ".join(COLUMNS.values())
        + " | training, CPU s | ms per image, batch 1 | "
        "ms per image, batch 32 | parameters, M |",
        "|---|" + "---|" * (len(COLUMNS) + 4),
    ]
    for row, group in jobs.groupby("row", sort=False):
        parts = group[group.data == "icmold"]
        cells = [row, *(_cell(group, column) for column in COLUMNS)]
        cells.append(_mean(parts.train_cpu_seconds, 0))
        cells += [_mean(parts[name], 2) for name in ("ms", "ms_batched")]
        cells.append(_mean(group.parameters / 1e6, 2, spread=False))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _cell(group: pd.DataFrame, column: str) -> str:
    if column != MNIST:
        return _both(group[group.data == column])
    seeds = group[group.data.str.startswith(MNIST)].groupby("seed")
    complete = seeds.filter(lambda digits: digits.data.nunique() == len(DIGITS))
    return _both(complete.groupby("seed")[["auroc", "auroc_local"]].mean())


def _both(jobs: pd.DataFrame) -> str:
    own, local = _mean(jobs.auroc, 3), _mean(jobs.auroc_local, 3)
    return f"{own}; {local}" if local else own


def _mean(values: pd.Series, digits: int, spread: bool = True) -> str:
    values = values.dropna()
    if not len(values):
        return ""
    if len(values) == 1 or not spread:
        return f"{values.mean():,.{digits}f}"
    return f"{values.mean():,.{digits}f} ± {values.std(ddof=1):,.{digits}f}"


def digits() -> str:
    """One-class MNIST digit by digit, beside published rows.

    Returns:
        A table in Markdown, in percent.
    """
    jobs = measured()
    jobs = jobs[jobs.data.str.startswith(MNIST)]
    lines = [
        "| model | seeds | " + " | ".join(map(str, DIGITS)) + " | mean |",
        "|---|---|" + "---|" * 11,
    ]
    for row, group in jobs.groupby("row", sort=False):
        means = group.groupby("data").auroc.mean() * 100
        cells = [f"{means[name]:.1f}" if (name := f"mnist {d}") in means else "" for d in DIGITS]
        mean = f"{means.mean():.1f}" if len(means) == len(DIGITS) else ""
        lines.append(" | ".join([f"| {row}", str(group.seed.nunique()), *cells, mean]) + " |")
    published = pd.read_csv(HERE / "published_mnist.csv")
    for values in published.itertuples(index=False):
        cells = [f"{value:.1f}" for value in values[2:]]
        lines.append(" | ".join([f"| {values.method}, {values.source}", "", *cells]) + " |")
    return "\n".join(lines)
