# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which rows the tables have: a model scored in one way on one data set, over all its seeds."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anogan_plugin.report.comparison.folder import (
    DONE,
    FAILED,
    OWN_SCORE,
    JobRecord,
    Results,
)

Images = tuple[tuple[str, ...], tuple[int, ...], str]
"""Paths and labels of the test images of a job, and a checksum of all its images."""


Say = Callable[[str], None]
"""Told what is being made, where that may take a while."""


def silent(what: str) -> None:
    """Say nothing."""
    del what


def row_name(model: str, column: str) -> str:
    """What a row of the summary is called.

    Args:
        model: Name of the model.
        column: Of scores.

    Returns:
        The model, and the score if it is not the model's own.

    Example:
        >>> row_name("AnoGAN", "local"), row_name("AnoGAN", "score")
        ('AnoGAN · local', 'AnoGAN')
    """
    return model if column == OWN_SCORE else f"{model} · {column}"


@dataclass(frozen=True)
class Row:
    """A row of the summary.

    Attributes:
        data: Name of the data set.
        model: Name of the model.
        column: Column of the scores.
        asked: Its jobs, one per seed.
    """

    data: str
    model: str
    column: str
    asked: tuple[JobRecord, ...]

    @property
    def name(self) -> str:
        """What it is called, see :func:`row_name`."""
        return row_name(self.model, self.column)

    @property
    def done(self) -> tuple[JobRecord, ...]:
        """The jobs whose scores can be used."""
        return tuple(job for job in self.asked if job.trouble_with(self.column) is None)

    def test_scores(self, seeds: list[int] | None = None) -> NDArray[np.float64]:
        """Scores of the test images, in the same order for all jobs on one data set.

        Args:
            seeds: Of which jobs, in this order; None for all that are done.

        Returns:
            ``(S, N)`` float64, a row per seed.
        """
        by_seed = {job.seed: job for job in self.done}
        jobs = list(by_seed.values()) if seeds is None else [by_seed[seed] for seed in seeds]
        return np.stack([job.test[self.column].to_numpy(np.float64) for job in jobs])

    @property
    def labels(self) -> NDArray[np.int64]:
        """``(N,)`` int64, 0 good, 1 anomalous; of the test images of a row with a job done."""
        return self.done[0].test.label.to_numpy(np.int64)


def checked(results: Results) -> Results:
    """Read all scores; a job has failed if they are broken or of other images than the others'.

    Metrics of different images cannot be compared. The images that most jobs on a data set were
    tested on are taken to be the right ones.

    Args:
        results: A results folder.

    Returns:
        The same with the jobs' states as they are now known.
    """
    jobs = [_with_readable_scores(job) for job in results.jobs]
    images: dict[str, Counter[Images]] = {}
    for job in jobs:
        if job.state == DONE:
            images.setdefault(job.data, Counter())[_images(job)] += 1
    for index, job in enumerate(jobs):
        if job.state != DONE:
            continue
        (usual, count), *_ = images[job.data].most_common(1)
        if _images(job) != usual:
            reason = (
                f"{job.path.name} is of other images than those of {count} "
                f"of the {sum(images[job.data].values())} jobs on {job.data}"
            )
            jobs[index] = replace(job, state=FAILED, reason=reason)
    return replace(results, jobs=tuple(jobs))


def rows_of(results: Results) -> list[Row]:
    """The rows of the summary, in the order of the configuration.

    Args:
        results: A results folder.

    Returns:
        A row per data set, model and column of scores that a job of the model has; of a model
        without a job done, the row of its own score.
    """
    return [
        Row(data, model, column, jobs)
        for (data, model), jobs in cells_of(results).items()
        for column in columns_of(results, model)
    ]


def cells_of(results: Results) -> dict[tuple[str, str], tuple[JobRecord, ...]]:
    """The jobs by data set and model, in the order of the configuration, data set by data set.

    Args:
        results: A results folder.

    Returns:
        For each data set and model its jobs, one per seed.
    """
    data_sets = dict.fromkeys(job.data for job in results.jobs)
    cells: dict[tuple[str, str], list[JobRecord]] = {}
    for data in data_sets:
        for job in results.jobs:
            if job.data == data:
                cells.setdefault((data, job.model), []).append(job)
    return {cell: tuple(jobs) for cell, jobs in cells.items()}


def columns_of(results: Results, model: str) -> tuple[str, ...]:
    """The columns of scores of a model.

    Args:
        results: A results folder.
        model: Name of the model.

    Returns:
        Those of ``results.scores`` that one of its jobs has, but for copies of its own score; its
        own score if no job is done.
    """
    there: set[str] = set()
    for job in results.jobs:
        if job.model == model and job.state == DONE and job.trouble_with(OWN_SCORE) is None:
            own = job.scores[OWN_SCORE]
            there.add(OWN_SCORE)
            there.update(c for c in job.scores.columns if not job.scores[c].equals(own))
    return tuple(column for column in results.scores if column in there) or (OWN_SCORE,)


def _with_readable_scores(job: JobRecord) -> JobRecord:
    if job.state != DONE:
        return job
    trouble = job.trouble_with(OWN_SCORE)
    return job if trouble is None else replace(job, state=FAILED, reason=trouble)


def _images(job: JobRecord) -> Images:
    digest = str(job.result.get("environment", {}).get("images"))
    return tuple(job.test.image_path), tuple(job.test.label), digest
