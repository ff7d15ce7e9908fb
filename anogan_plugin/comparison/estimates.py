# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How long jobs will take, from those like them that are done."""

from collections.abc import Iterable
from pathlib import Path
from statistics import mean

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, JobFolder


class Estimates:
    """Times of done jobs.

    Args:
        jobs: Of a comparison.
        output: Its folder.
    """

    def __init__(self, jobs: Iterable[Job], output: Path) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = {}
        for job in jobs:
            result = JobFolder(output, job).read_json(RESULT)
            if result is not None:
                self.note(job, result["train_seconds"] + result["test_seconds"])

    def note(self, job: Job, seconds: float) -> None:
        """Note what a job took, in seconds."""
        self._seconds.setdefault((job.model.name, job.data), []).append(seconds)

    def of(self, job: Job) -> float | None:
        """What the jobs of the same model and data took on average.

        Args:
            job: A job that is to come.

        Returns:
            Seconds; None if there is none.
        """
        known = self._seconds.get((job.model.name, job.data))
        return mean(known) if known else None

    def left(self, jobs: Iterable[Job]) -> float | None:
        """How long jobs will take one after another.

        Args:
            jobs: Jobs that are to come; of which nothing is known takes the mean of all others.

        Returns:
            Seconds; None if nothing is known of any job.
        """
        if not self._seconds:
            return None
        mean_of_all = mean(value for values in self._seconds.values() for value in values)
        found = [self.of(job) for job in jobs]
        return sum(mean_of_all if each is None else each for each in found)


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
