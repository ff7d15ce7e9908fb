# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How long jobs will take, from those like them that are done."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, JobFolder

_Seconds = dict[Hashable, list[float]]


class Estimates:
    """Times of done jobs.

    Args:
        jobs: Of a comparison.
        output: Its folder.
    """

    def __init__(self, jobs: Iterable[Job], output: Path) -> None:
        self._output = output
        self._training: _Seconds = {}
        self._scoring: _Seconds = {}
        for job in jobs:
            self.note(job)

    def note(self, job: Job) -> None:
        """Note what a job took, if it is done."""
        result = JobFolder(self._output, job).read_json(RESULT)
        if result is not None:
            self._training.setdefault(_training(job), []).append(result["train_seconds"])
            self._scoring.setdefault(_scoring(job), []).append(result["test_seconds"])

    def of(self, job: Job) -> float | None:
        """What a job will take, from those of the same model and data with other seeds.

        Args:
            job: A job that is to come.

        Returns:
            Seconds of scoring, and of training if there are no weights yet; None if there is no
            such job.
        """
        if _scoring(job) not in self._scoring or _training(job) not in self._training:
            return None
        return self.left([job])

    def left(self, jobs: Iterable[Job]) -> float | None:
        """How long jobs will take one after another.

        Args:
            jobs: Jobs that are to come; of which nothing is known takes the mean of all others.

        Returns:
            Seconds; None if nothing is known of any job.
        """
        if not self._scoring:
            return None
        jobs = list(jobs)
        # Weights that several jobs score with are trained once.
        untrained = {
            job.training_key: job
            for job in jobs
            if not JobFolder(self._output, job).checkpoint.exists()
        }
        scoring = sum(_mean(self._scoring, _scoring(job)) for job in jobs)
        return scoring + sum(_mean(self._training, _training(job)) for job in untrained.values())


def _training(job: Job) -> Hashable:
    return replace(job, seed=0).training_key


def _scoring(job: Job) -> Hashable:
    return job.model.name, job.data


def _mean(seconds: _Seconds, which: Hashable) -> float:
    return mean(seconds.get(which) or [each for values in seconds.values() for each in values])


def in_words(seconds: float | None) -> str:
    """Write a duration.

    >>> in_words(42), in_words(130), in_words(7300), in_words(None)
    ('42 s', '2 min', '2 h 2 min', 'not known')
    """
    if seconds is None:
        return "not known"
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
