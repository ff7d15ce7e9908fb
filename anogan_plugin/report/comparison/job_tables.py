# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``results.csv`` and ``by_defect.csv``: what single jobs gave."""

from typing import Any

import numpy as np
import pandas as pd

from anogan_plugin.report.comparison.conditions import timed_on
from anogan_plugin.report.comparison.folder import DONE, FAILED, OWN_SCORE, JobRecord
from anogan_plugin.report.comparison.rows import Row
from anogan_plugin.statistics.detection import detection_metrics, image_auroc
from anogan_plugin.statistics.inspection import (
    escape_at_overkill,
    held_out_threshold,
    inspect,
    overkill_at_zero_escape,
)

_METRICS = {
    "image_auroc": "auroc",
    "image_aupr": "aupr",
    "image_f1_max": "f1_max",
    "fpr_at_95_tpr": "fpr_at_95_tpr",
}
MEASURED = (
    *_METRICS,
    "threshold",
    "overkill_on_test",
    "escape_on_test",
    "escape_at_overkill",
    "overkill_at_zero_escape",
)
PIXEL = ("pixel_auroc", "pixel_aupro", "pixel_f1_max")
TIMES = ("ms_batch_1", "p95_ms_batch_1", "ms_batch_32", "images_per_second")
_FROM_RESULT = ("parameters", "peak_memory_mib", "search_steps", "epochs", "images_tested")
_COUNTS = ("parameters", "epochs", "images_tested")
RESULTS_COLUMNS = (
    "model",
    "data",
    "seed",
    "score",
    "status",
    "reason",
    *MEASURED,
    *PIXEL,
    "train_seconds",
    "test_seconds",
    *TIMES,
    *_FROM_RESULT,
    "timed_on",
    "problem",
    "key",
    "folder",
)
_BY_DEFECT_COLUMNS = ("model", "data", "seed", "score", "defect_type", "n", "auroc", "escape")


def results_table(rows: list[Row], overkill: float) -> pd.DataFrame:
    """``results.csv``: a row per job and column of scores, also of jobs that are not done.

    Args:
        rows: Of the summary.
        overkill: Share of good images that the threshold may reject, in (0, 1).

    Returns:
        The table. Shares and areas under curves are in [0, 1], times in s and ms per image, memory
        in MiB. ``reason`` says why a job failed, or why numbers of a job that is done are missing.
        Pixel metrics are those of the job's maps: they stand beside its own score only.
        ``overkill_on_test`` and ``escape_on_test`` are at the ``threshold`` from held-out images;
        ``escape_at_overkill`` and ``overkill_at_zero_escape`` are read off the test set's own ROC
        curve, at the overkill allowed and at no escape: bounds on what a threshold can do.
    """
    found = [_result_row(row, job, overkill) for row in rows for job in row.asked]
    return whole(pd.DataFrame(found, columns=list(RESULTS_COLUMNS)), _COUNTS)


def by_defect_table(rows: list[Row], overkill: float) -> pd.DataFrame:
    """``by_defect.csv``: each type of defect against all good test images.

    Args:
        rows: Of the summary.
        overkill: Share of good images that the threshold may reject, in (0, 1).

    Returns:
        A row per job, column of scores and type: number of images ``n``, AUROC, and the share
        ``escape`` that the threshold lets through; NaN if there is no threshold.
    """
    found: list[dict[str, Any]] = []
    for row in rows:
        for job in row.done:
            head = {"model": job.model, "data": job.data, "seed": job.seed, "score": row.column}
            found += [{**head, **each} for each in _by_defect(job, row.column, overkill)]
    return pd.DataFrame(found, columns=list(_BY_DEFECT_COLUMNS))


def threshold_of(job: JobRecord, column: str, overkill: float) -> float:
    """The threshold that the job's held-out good images give.

    Args:
        job: A job that is done.
        column: Of its scores.
        overkill: Share of good images that it may reject, in (0, 1).

    Returns:
        The score above which an image is rejected.

    Raises:
        ValueError: If too few images were held out for that overkill.
    """
    return held_out_threshold(job.held_out[column].to_numpy(float), overkill)


def number(value: Any) -> float:
    """A number out of a file, NaN for whatever else stands there.

    >>> number(3), number(None), number("many")
    (3.0, nan, nan)
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and np.isfinite(value) else float("nan")


def whole(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Make counts whole numbers, also in columns where some are missing.

    Args:
        table: Any table.
        columns: Those with counts.

    Returns:
        The table, with ``Int64`` there.
    """
    return table.assign(**{c: table[c].astype(float).round().astype("Int64") for c in columns})


def _result_row(row: Row, job: JobRecord, overkill: float) -> dict[str, Any]:
    trouble = job.trouble_with(row.column)
    state = FAILED if job.state == DONE and trouble else job.state
    found: dict[str, Any] = {
        "model": job.model,
        "data": job.data,
        "seed": job.seed,
        "score": row.column,
        "status": state,
        "reason": job.reason if trouble is None else _but(trouble, job.state),
        "key": job.result.get("key"),
        "folder": f"jobs/{job.path.name}",
    }
    if state == DONE:
        measured, problem = _measured(job, row.column, overkill)
        found |= measured
        found["reason"] = "; ".join(filter(None, (found["reason"], problem))) or None
        found |= _pixel(job) if row.column == OWN_SCORE else {}
        found |= _cost(job)
    return found


def _but(trouble: str, state: str) -> str | None:
    return None if trouble == state else trouble


def _measured(job: JobRecord, column: str, overkill: float) -> tuple[dict[str, float], str | None]:
    """Metrics of the image scores, and why some are missing."""
    labels, scores = job.test.label.to_numpy(), job.test[column].to_numpy(float)
    metrics = detection_metrics(labels, scores)
    found = {name: metrics[key] for name, key in _METRICS.items()}
    found["escape_at_overkill"] = escape_at_overkill(labels, scores, overkill)
    found["overkill_at_zero_escape"] = overkill_at_zero_escape(labels, scores)
    try:
        inspection = inspect(labels, scores, threshold_of(job, column, overkill))
    except ValueError as error:
        return found, str(error)
    found["threshold"] = inspection.threshold
    found["overkill_on_test"] = inspection.overkill.rate
    found["escape_on_test"] = inspection.escape.rate
    return found, None


def _pixel(job: JobRecord) -> dict[str, float]:
    found = job.result.get("pixel")
    values = found if isinstance(found, dict) else {}
    return {name: number(values.get(name.removeprefix("pixel_"))) for name in PIXEL}


def _cost(job: JobRecord) -> dict[str, Any]:
    one, many = (_dict(job.timing.get(key)) for key in ("batch_1", "batch_32"))
    return {
        **{name: number(job.result.get(name)) for name in ("train_seconds", "test_seconds")},
        **{name: number(job.result.get(name)) for name in _FROM_RESULT},
        "ms_batch_1": number(one.get("median_ms")),
        "p95_ms_batch_1": number(one.get("p95_ms")),
        "ms_batch_32": number(many.get("median_ms")),
        "images_per_second": number(many.get("images_per_second")),
        "timed_on": timed_on(job),
        "problem": job.result.get("problem"),
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_defect(job: JobRecord, column: str, overkill: float) -> list[dict[str, Any]]:
    good = job.test.loc[job.test.label == 0, column].to_numpy(float)
    try:
        threshold = threshold_of(job, column, overkill)
    except ValueError:
        threshold = float("nan")
    found = []
    for kind, defects in job.test[job.test.label == 1].groupby("defect_type", sort=True):
        scores = defects[column].to_numpy(float)
        labels = np.repeat([0, 1], [len(good), len(scores)])
        escape = float(np.mean(scores <= threshold)) if np.isfinite(threshold) else float("nan")
        auroc = image_auroc(labels, np.concatenate([good, scores]))
        found.append({"defect_type": kind, "n": len(scores), "auroc": auroc, "escape": escape})
    return found
