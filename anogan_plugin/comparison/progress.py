# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is seen of a comparison while it runs."""

import time
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from anogan_plugin.comparison.estimates import Estimates, in_words
from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder
from anogan_plugin.comparison.job_progress import PROGRESS
from anogan_plugin.comparison.runner import Finished, Watcher
from anogan_plugin.report.comparison import table_so_far

_SHOWN = 8


class LiveView(Watcher):
    """Jobs done, running and left, the time left, and the table so far.

    On a terminal it is redrawn; elsewhere each job that ends is a line.

    Args:
        output: Folder of the comparison.
        jobs: All its jobs.
        workers: How many run at a time.
        console: Where to print.
    """

    def __init__(self, output: Path, jobs: tuple[Job, ...], workers: int, console: Console) -> None:
        self._output, self._jobs, self._workers, self._console = output, jobs, workers, console
        self._stage = ""
        self._left: list[Job] = []
        self._failed = 0
        self._drawn = False
        self._estimates = Estimates(jobs, output)
        self._began: dict[str, float] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def begin(self, stage: str, jobs: list[Job]) -> None:
        """A stage begins in which ``jobs`` have to be run."""
        self._stage, self._left = stage, list(jobs)
        if stage == TIMING:
            self._name_untimed()
        if not jobs:
            return
        scored = len(self._jobs) - self._failed
        have = f"{scored - len(jobs)} of {len(self._jobs)} jobs done; to run"
        if stage == TIMING:
            have = f"{scored} of {len(self._jobs)} jobs scored; to time, one at a time"
        self._console.print(f"{have}: {len(jobs)}")

    def _name_untimed(self) -> None:
        """Say how many jobs are scored and can't be timed."""
        folders = [JobFolder(self._output, job) for job in self._jobs]
        scored = [each for each in folders if each.has(RESULT) and not each.has(TIMING)]
        if count := sum(not each.is_left(TIMING) for each in scored):
            self._console.print(
                f"scored, not timed: {count}, whose weights are gone; to train and time one again, "
                f"delete its folder in {self._output / 'jobs'}",
                soft_wrap=True,
                markup=False,
            )

    def finished(self, finished: Finished) -> None:
        """A job ended."""
        job = finished.job
        self._left.remove(job)
        seconds = time.monotonic() - self._began.pop(job.folder_name, time.monotonic())
        if finished.reason is not None:
            self._failed += 1
            # A reason comes from a library and may hold what rich takes for a style.
            log = JobFolder(self._output, job).log
            self._console.print(Text(f"failed: {job}: {finished.reason} (see {log})", style="red"))
        elif self._stage == TIMING:
            self._console.print(Text(f"timed: {job}"))
        else:
            self._estimates.note(job)
            self._console.print(Text(f"done: {job}, {in_words(seconds)}"))

    def look(self, running: tuple[Job, ...]) -> None:
        """Some time has gone by; these jobs run."""
        now = time.monotonic()
        for job in running:
            self._began.setdefault(job.folder_name, now)
        # While timing it is drawn once: it must not take part of the machine.
        if not self._console.is_terminal or (self._stage == TIMING and self._drawn):
            return
        self._drawn = self._stage == TIMING
        lines = [Text(self._headline(running), style="bold")]
        lines += [Text(f"  {job}: {self._progress(job)}") for job in running[:_SHOWN]]
        self._live.update(Group(*lines, table_so_far(self._output)), refresh=True)

    def _headline(self, running: tuple[Job, ...]) -> str:
        done = len(self._jobs) - len(self._left) - self._failed
        if self._stage == TIMING:
            return f"timing: {len(self._left)} left"
        left = self._estimates.left(self._left)
        about = in_words(left if left is None else left / self._workers)
        counts = f"{done} done, {len(running)} running, {len(self._left) - len(running)} to come"
        return f"{counts}, {self._failed} failed; time left: {about}"

    def _progress(self, job: Job) -> str:
        if self._stage == TIMING:
            return "timing"
        found = JobFolder(self._output, job).read_json(PROGRESS)
        if found is None:
            return "starting"
        of = f" of {found['of']}" if found["of"] and found["of"] > 0 else ""
        return f"{found['what']} {found['now']}{of}"
