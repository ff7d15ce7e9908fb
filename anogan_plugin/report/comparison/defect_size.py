# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``detection.csv``: how large a defect must be to be found."""

from typing import Any

import numpy as np
import pandas as pd

from anogan_plugin.report.comparison.folder import JobRecord
from anogan_plugin.report.comparison.job_tables import threshold_of, whole
from anogan_plugin.report.comparison.rows import Row
from anogan_plugin.statistics.probability_of_detection import ProbabilityOfDetection, fit_pod

_PERCENT = 100
_COUNTS = ("defects", "without_mask", "seeds_with_a90", "seeds_with_a90_95")
_COLUMNS = (
    "data",
    "model",
    "overkill",
    "seeds_done",
    "seeds_asked",
    "defects",
    "without_mask",
    "smallest",
    "largest",
    "found",
    "a90",
    "a90_worst",
    "a90_95",
    "a90_95_worst",
    "seeds_with_a90",
    "seeds_with_a90_95",
    "reason",
    "caution",
)


def detection_table(rows: list[Row], overkill: float) -> pd.DataFrame:
    """Probability of detection against the area of the defect, in % of the image.

    A curve is fitted to each seed alone. Pooling all seeds into one fit would count every defect
    once per seed as if it were another defect, and make the bound too small by up to the root of
    the number of seeds. So ``a90`` and ``a90_95`` are medians over seeds: of a typical training,
    each bound covering other defects. The ``worst`` is the largest of the seeds': what a factory
    that trains once should count with. All are given only if every seed that is done has one;
    ``reason`` says why not.

    Args:
        rows: Of the summary.
        overkill: Share of good images that the threshold may reject, in (0, 1).

    Returns:
        A row per row of the summary. Sizes are in % of the image's area, ``defects`` those with a
        mask, ``found`` the share of them rejected, averaged over seeds.
    """
    found = [_cell(row, overkill) for row in rows]
    return whole(pd.DataFrame(found, columns=list(_COLUMNS)), _COUNTS)


def pod_of(job: JobRecord, column: str, overkill: float) -> ProbabilityOfDetection:
    """The curve of one job.

    Args:
        job: A job that is done.
        column: Of its scores.
        overkill: Share of good images that the threshold may reject, in (0, 1).

    Returns:
        The curve over areas in % of the image.

    Raises:
        ValueError: If there is no defect with a mask, or no threshold.
    """
    sizes, scores = _defects(job, column)
    if len(sizes) == 0:
        raise ValueError("no defect has a mask: its size is not known")
    return fit_pod(sizes, scores > threshold_of(job, column, overkill))


def _defects(job: JobRecord, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Areas in % and scores of the defects that have a mask."""
    defects = job.test[(job.test.label == 1) & (job.test.defect_area > 0)]
    return _PERCENT * defects.defect_area.to_numpy(float), defects[column].to_numpy(float)


def _cell(row: Row, overkill: float) -> dict[str, Any]:
    done = row.done
    found: dict[str, Any] = {
        "data": row.data,
        "model": row.name,
        "overkill": overkill,
        "seeds_done": len(done),
        "seeds_asked": len(row.asked),
    }
    if not done:
        return {**found, "reason": "no seed is done"}
    sizes, _ = _defects(done[0], row.column)
    found["defects"] = len(sizes)
    found["without_mask"] = int((done[0].test.label == 1).sum()) - len(sizes)
    if len(sizes):
        found |= {"smallest": sizes.min(), "largest": sizes.max()}
    try:
        curves = {job.seed: pod_of(job, row.column, overkill) for job in done}
    except ValueError as error:
        return {**found, "reason": str(error)}
    rejected = [_share_found(job, row.column, overkill) for job in done]
    return {**found, "found": float(np.mean(rejected)), **_over_seeds(curves)}


def _share_found(job: JobRecord, column: str, overkill: float) -> float:
    _, scores = _defects(job, column)
    return float(np.mean(scores > threshold_of(job, column, overkill)))


def _over_seeds(curves: dict[int, ProbabilityOfDetection]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("a90", "a90_95"):
        sizes = [getattr(curve, name) for curve in curves.values()]
        there = [size for size in sizes if size is not None]
        found[f"seeds_with_{name}"] = len(there)
        if len(there) == len(sizes):
            found |= {name: float(np.median(there)), f"{name}_worst": max(there)}
    found["reason"] = _listed({seed: _why_missing(curve) for seed, curve in curves.items()})
    found["caution"] = next((curve.caution for curve in curves.values() if curve.caution), None)
    return found


def _why_missing(curve: ProbabilityOfDetection) -> str | None:
    below = "a90 is below all sizes tested" if curve.a90 is None else None
    return curve.reason or below


def _listed(reasons: dict[int, str | None]) -> str | None:
    return "; ".join(f"seed {seed}: {why}" for seed, why in reasons.items() if why) or None
