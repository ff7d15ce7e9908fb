# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The files of a job, written so that a process killed at any moment leaves them whole."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import yaml
from filelock import FileLock, Timeout

from anogan_plugin.comparison.job import Job
from anogan_plugin.files import write_atomically, write_json, write_text

RESULT, TIMING = "result.json", "timing.json"


@dataclass(frozen=True)
class JobFolder:
    """What a job leaves, in ``OUTPUT/jobs/NAME``.

    - ``config.yaml``: the job, written first;
    - ``scores.parquet``: a row per image;
    - ``examples/``: a few images with their reconstructions and maps;
    - ``result.json``: what training and scoring took and gave; last, so that a job with it is done;
    - ``timing.json``: milliseconds per image, measured later, when nothing else runs;
    - ``.scored``: batches scored so far, so that a job that is killed goes on from there;
    - ``log.txt``: what it printed; ``error.txt``: why it failed; ``progress.json``: how far it is.

    Args:
        output: Folder of the comparison.
        job: The job.
    """

    output: Path
    job: Job

    @property
    def path(self) -> Path:
        """The folder; of a job that was run under another name, the one that it has."""
        named = self.output / "jobs" / self.job.folder_name
        return named if named.exists() else next(named.parent.glob(f"*-{self.job.key}"), named)

    @property
    def scores(self) -> Path:
        """The table of scores."""
        return self.path / "scores.parquet"

    @property
    def examples(self) -> Path:
        """The folder of example images."""
        return self.path / "examples"

    @property
    def work(self) -> Path:
        """Where Lightning leaves what is not kept."""
        return self.path / ".work"

    @property
    def scored(self) -> Path:
        """Batches that are scored, until all of them are."""
        return self.path / ".scored"

    @property
    def log(self) -> Path:
        """What the job printed."""
        return self.path / "log.txt"

    @property
    def training(self) -> Path:
        """Folder of what training leaves; jobs that only score differently share it."""
        return self.output / "trained" / self.job.training_key

    @property
    def checkpoint(self) -> Path:
        """The trained weights; there only when training has ended."""
        return self.training / "model.ckpt"

    def lock(self) -> FileLock:
        """A lock for whoever runs this job; the system frees it when the holder dies."""
        return _lock(self.path / ".lock")

    def is_locked(self) -> bool:
        """Whether somebody runs this job now, or trains what it needs."""
        try:
            with self.lock().acquire(timeout=0), self.training_lock().acquire(timeout=0):
                return False
        except Timeout:
            return True

    def training_lock(self) -> FileLock:
        """A lock for whoever trains."""
        return _lock(self.training / ".lock")

    def begin(self) -> None:
        """Write ``config.yaml``, forget an earlier failure and what a killed run left."""
        shutil.rmtree(self.work, ignore_errors=True)
        settings = yaml.safe_dump(self.job.settings, sort_keys=False, allow_unicode=True)
        write_text(self.path / "config.yaml", settings)
        (self.path / "error.txt").unlink(missing_ok=True)

    def write_scores(self, table: pd.DataFrame) -> None:
        """Write ``scores.parquet``."""
        write_atomically(self.scores, lambda path: table.to_parquet(path, index=False))

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write ``result.json`` or another such file."""
        write_json(self.path / name, values)

    def write_error(self, text: str) -> None:
        """Write ``error.txt``; the last line of ``text`` is the reason."""
        write_text(self.path / "error.txt", text)

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Read ``result.json`` or another such file.

        Args:
            name: Its name.

        Returns:
            What is in it; None if it is not there, or broken by a loss of power.
        """
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def has(self, stage: str) -> bool:
        """Whether a stage of the job is done: ``result.json`` or ``timing.json``."""
        if stage == RESULT:
            try:
                pyarrow.parquet.read_metadata(self.scores)
            except (OSError, pyarrow.ArrowException):
                return False
        return self.read_json(stage) is not None

    def is_left(self, stage: str) -> bool:
        """Whether a stage can be and is not done; timing takes weights, which a clone has not."""
        return not self.has(stage) and (stage == RESULT or self.checkpoint.exists())

    def reason(self) -> str | None:
        """Why the job failed: the last line of ``error.txt``, None if there is none."""
        try:
            lines = (self.path / "error.txt").read_text(encoding="utf-8").strip().splitlines()
        except FileNotFoundError:
            return None
        return lines[-1] if lines else "no reason was left"


def _lock(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)
