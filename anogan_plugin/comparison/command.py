# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ``anomalib compare`` does."""

import json
from collections import Counter
from pathlib import Path

import torch
from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from anogan_plugin.comparison.configuration import Comparison, read_comparison
from anogan_plugin.comparison.estimates import Estimates, in_words
from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder
from anogan_plugin.comparison.local_runner import LocalRunner
from anogan_plugin.comparison.progress import LiveView
from anogan_plugin.comparison.runner import JobRunner
from anogan_plugin.comparison.yaml_lines import ConfigurationError
from anogan_plugin.files import write_json
from anogan_plugin.report.comparison import table_so_far
from anogan_plugin.report.comparison.folder import FAILED
from anogan_plugin.report.write_report import write_report

MANIFEST = "comparison.json"
DONE, SOME_FAILED, WRONG_CONFIGURATION, INTERRUPTED = 0, 1, 2, 130


def compare(options: Namespace) -> int:
    """Run a comparison, print how it goes, leave its tables.

    Args:
        options: The command line of :class:`~anogan_plugin.comparison.pipeline.Compare`.

    Returns:
        The exit code.
    """
    console = Console()
    try:
        comparison = read_comparison(options.config, options.output)
        _refuse_another(comparison.output, Path(options.config).name)
        jobs = comparison.jobs_of(options.only) if options.only else comparison.jobs
        if options.dry_run:
            console.print(_listed(comparison.output, jobs))
            return DONE
        runner = _runner(options)
    except ConfigurationError as error:
        console.print(Text(str(error), style="red"))
        return WRONG_CONFIGURATION
    try:
        manifest = {"file": Path(options.config).name, **comparison.manifest()}
        write_json(comparison.output / MANIFEST, manifest)
        return _run(runner, comparison, jobs, console)
    except OSError as error:
        where = f"{comparison.output} can't be written: {error}"
        console.print(Text(f"{where}; make room, then the same command goes on", style="red"))
        return SOME_FAILED


def _refuse_another(output: Path, file: str) -> None:
    """Refuse a folder with another configuration's jobs: its tables would lose them."""
    try:
        before = json.loads((output / MANIFEST).read_text(encoding="utf-8")).get("file", file)
    except (OSError, ValueError):
        return  # a new folder, or a broken file that is about to be written anew
    if before != file:
        raise ConfigurationError(
            f"{output} holds the results of {before}, not of {file}: give another --output"
        )


def _run(runner: JobRunner, comparison: Comparison, jobs: tuple[Job, ...], console: Console) -> int:
    output = comparison.output
    code = DONE
    try:
        with LiveView(output, jobs, runner.workers, console) as view:
            runner.watcher = view
            failed = runner.run(jobs, output)
        if failed:
            again = f"{len(failed)} of {len(jobs)} jobs failed; the same command tries them again"
            console.print(Text(again, style="red"))
            code = SOME_FAILED
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        code = INTERRUPTED
    with console.status("making tables, pictures and page"):
        results = write_report(output)
    # A job that ran may have left a broken file, or have been tested on other images.
    asked = {job.folder_name for job in jobs}
    if code == DONE and any(j.state == FAILED for j in results.jobs if j.path.name in asked):
        code = SOME_FAILED
    console.print(table_so_far(output))
    for what, name in (("page", "report.html"), ("tables", "summary.md"), ("jobs", "jobs")):
        console.print(f"{what}: {output / name}", soft_wrap=True, markup=False)
    return code


def _runner(options: Namespace) -> JobRunner:
    if options.ray is None:
        return LocalRunner(_devices(options.workers))
    if options.workers is not None:
        raise ConfigurationError("--workers is for this machine; on a cluster Ray decides: drop it")
    from anogan_plugin.comparison.ray_runner import RayRunner

    return RayRunner(options.ray)


def _devices(workers: int | None) -> list[str]:
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] or ["cpu"]
    count = len(gpus) if workers is None else workers
    if count < 1:
        raise ConfigurationError(f"--workers is {count}, expected 1 or more")
    return [gpus[index % len(gpus)] for index in range(count)]


def _listed(output: Path, jobs: tuple[Job, ...]) -> Table:
    """The jobs with what is known of each."""
    estimates = Estimates(jobs, output)
    counts: Counter[str] = Counter()
    table = Table("job", "state", "time", caption_justify="left")
    for job in jobs:
        state = _state(JobFolder(output, job))
        counts[state] += 1
        table.add_row(Text(str(job)), state, in_words(estimates.of(job)))
    left = [job for job in jobs if not JobFolder(output, job).has(RESULT)]
    summary = ", ".join(f"{count} {state}" for state, count in counts.items())
    table.caption = f"{summary}; time left, one at a time: {in_words(estimates.left(left))}"
    return table


def _state(folder: JobFolder) -> str:
    if folder.has(RESULT):
        return "done" if folder.has(TIMING) else "to be timed"
    reason = folder.reason()
    return "to run" if reason is None else f"failed, to run again: {reason}"
