# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The files of a comparison's results folder as plain objects."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MANIFEST = "comparison.json"
HELD_OUT, TEST = "held_out", "test"
DONE, FAILED, NOT_RUN = "done", "failed", "not run"
OWN_SCORE = "score"
_COLUMNS = ("image_path", "split", "label", "defect_type", "defect_area", OWN_SCORE)
_JOB_KEYS = {"model": str, "data": str, "seed": int, "folder": str}


class UnreadableError(ValueError):
    """A file that is not what it should be; the message names it."""


@dataclass(frozen=True)
class JobRecord:
    """What is on disk of one job.

    Attributes:
        model: Name of the model in tables.
        data: Name of the data set in tables.
        seed: Seed of the training.
        path: Folder of the job.
        class_name: Class of the model; empty if it is not known.
        settings: All settings, as in ``config.yaml``.
        state: ``done``, ``failed`` or ``not run``.
        reason: Why it failed; of a done job, what is amiss with it; else None.
        result: ``result.json``, empty if it is not there.
        timing: ``timing.json``, empty if it is not there.
    """

    model: str
    data: str
    seed: int
    path: Path
    class_name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    state: str = NOT_RUN
    reason: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """``scores.parquet``, read when first asked for.

        Raises:
            UnreadableError: If it is not there, broken, or lacks a column or a kind of image.
        """
        return read_scores(self.path / "scores.parquet")

    @cached_property
    def test(self) -> pd.DataFrame:
        """The rows of the test images, sorted by image, so that two jobs' can be paired."""
        test = self.scores[self.scores.split == TEST]
        return test.sort_values("image_path", kind="stable", ignore_index=True)

    @cached_property
    def held_out(self) -> pd.DataFrame:
        """The rows of the good images that were held out."""
        return self.scores[self.scores.split == HELD_OUT]

    def trouble_with(self, column: str) -> str | None:
        """Why a column of scores cannot be used.

        Args:
            column: Its name.

        Returns:
            The reason; None if every image has a finite score.
        """
        if self.state != DONE:
            return self.reason or self.state
        try:
            scores = self.scores
        except UnreadableError as error:
            return str(error)
        file = f"{self.path.name}/scores.parquet"
        if column not in scores:
            return f"{file} has no column {column!r}"
        if not pd.api.types.is_numeric_dtype(scores[column]):
            return f"{file}: the column {column!r} holds no numbers"
        lost = int(np.count_nonzero(~np.isfinite(scores[column].to_numpy(float))))
        if lost:
            return f"{file}: {lost} of {len(scores)} values of {column!r} are NaN or infinite"
        return None


@dataclass(frozen=True)
class Results:
    """A results folder.

    Attributes:
        description: What is compared; may be empty.
        overkill: Share of good images that a threshold may reject, in (0, 1).
        scores: Columns of scores that become rows of the summary.
        jobs: All jobs asked for, in the order of the configuration.
        configuration: The file that asked for them, as it was; empty if it is not known.
    """

    description: str
    overkill: float
    scores: tuple[str, ...]
    jobs: tuple[JobRecord, ...]
    configuration: str = ""


def read_results(output: Path) -> Results:
    """Read a results folder, but for the scores.

    Args:
        output: The folder with ``comparison.json``. Folders of jobs that are not listed there are
            left alone.

    Returns:
        The comparison. A job with a broken file has failed, and its reason names the file.

    Raises:
        UnreadableError: If ``comparison.json`` is not there or broken.
    """
    path = output / MANIFEST
    found = _read_json(path)
    if found is None:
        raise UnreadableError(f"{path} is not there: give the folder of a comparison")
    try:
        entries = [_checked_entry(entry) for entry in found["jobs"]]
        scores = tuple(str(name) for name in found["scores"]) or (OWN_SCORE,)
        description, overkill = str(found.get("description") or ""), float(found["overkill"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"{path} is not that of a comparison: {error!r}") from error
    if not 0 < overkill < 1:
        raise UnreadableError(f"{path}: overkill is {overkill}, expected a number in (0, 1)")
    jobs = tuple(_read_job(output, entry) for entry in entries)
    configuration = str(found.get("configuration") or "")
    return Results(description, overkill, scores, jobs, configuration)


def read_scores(path: Path) -> pd.DataFrame:
    """Read the scores of a job.

    Args:
        path: ``scores.parquet``.

    Returns:
        A row per image.

    Raises:
        UnreadableError: If it is not there, broken, or lacks a column or a kind of image.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise UnreadableError(f"{name} is not there") from error
    except Exception as error:  # pyarrow has many kinds for a broken file
        raise UnreadableError(f"{name} cannot be read: {_one_line(str(error))}") from error
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise UnreadableError(f"{name} has no column {', '.join(map(repr, missing))}")
    labels = set(table.label[table.split == TEST])
    if labels != {0, 1}:
        raise UnreadableError(
            f"{name}: expected good (0) and anomalous (1) test images, got {sorted(labels)}"
        )
    return table


def _checked_entry(entry: dict[str, Any]) -> dict[str, Any]:
    for key, kind in _JOB_KEYS.items():
        if not isinstance(entry[key], kind):
            raise TypeError(f"{key} of a job is {entry[key]!r}")
    if not isinstance(entry.get("settings", {}), dict):
        raise TypeError(f"settings of a job are {entry['settings']!r}")
    return entry


def _read_job(output: Path, entry: dict[str, Any]) -> JobRecord:
    path = output / "jobs" / entry["folder"]
    settings = entry.get("settings", {})
    state, reason, result, timing = NOT_RUN, None, None, None
    try:
        result = _read_json(path / "result.json")
        state = DONE if result is not None else NOT_RUN
    except UnreadableError as error:
        state, reason = FAILED, str(error)
    if state == NOT_RUN:
        reason = _error(path / "error.txt")
        state = FAILED if reason is not None else NOT_RUN
    if state == DONE:
        # Scores are good without times: the reason is shown, the job stays done.
        try:
            timing = _read_json(path / "timing.json")
            why = _error(path / "error.txt") if timing is None else None
            reason = None if why is None else f"not timed: {why}"
        except UnreadableError as error:
            reason = f"not timed: {error}"
    head = (entry["model"], entry["data"], entry["seed"])
    about = (str(entry.get("class_name") or ""), settings)
    return JobRecord(*head, path, *about, state, reason, result or {}, timing or {})


def _read_json(path: Path) -> dict[str, Any] | None:
    """Read an object; None if the file is not there."""
    name = f"{path.parent.name}/{path.name}"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{name} cannot be read: {_one_line(str(error))}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{name} holds {type(found).__name__}, expected an object")
    return found


def _error(path: Path) -> str | None:
    """The last line of a traceback; None if there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"error.txt cannot be read: {error}"
    return lines[-1].strip() if lines else "no reason was left"


def _one_line(text: str) -> str:
    return " ".join(text.split())
