# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ``anomalib compare`` does."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
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
from anogan_plugin.comparison.machine import this_machine
from anogan_plugin.comparison.progress import LiveView
from anogan_plugin.comparison.runner import JobRunner
from anogan_plugin.comparison.yaml_lines import ConfigurationError
from anogan_plugin.files import write_json
from anogan_plugin.report.comparison import table_so_far
from anogan_plugin.report.comparison.folder import FAILED, MANIFEST
from anogan_plugin.report.write_report import write_report
from anogan_plugin.subcommands.cluster import ClusterError

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
        jobs = comparison.jobs_of(options.only) if options.only else comparison.jobs
        before = _manifest_before(comparison)
        if options.dry_run:
            console.print(_listed(comparison.output, jobs))
            return DONE
        runner = _runner(options)
    except (ClusterError, ConfigurationError) as error:
        console.print(Text(str(error), style="red"))
        return WRONG_CONFIGURATION
    try:
        _take_folder(comparison, before, console)
        return _run(runner, comparison, jobs, console)
    except OSError as error:
        where = f"{comparison.output} can't be written: {error}"
        console.print(Text(f"{where}; make room, then the same command goes on", style="red"))
        return SOME_FAILED


def _manifest_before(comparison: Comparison) -> dict[str, Any]:
    """What the folder holds already, which must be of the same file."""
    path = comparison.output / MANIFEST
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    file = before.get("file", comparison.file)
    if file != comparison.file:
        raise ConfigurationError(
            f"{comparison.output} holds the comparison of {file}, whose tables those of "
            f"{comparison.file} would replace: give --output another folder, or, if it is the same "
            f"comparison by another name, delete {path}"
        )
    return before


def _take_folder(comparison: Comparison, before: dict[str, Any], console: Console) -> None:
    manifest = comparison.manifest()
    dropped = {job["folder"] for job in before.get("jobs", ())}
    dropped -= {job["folder"] for job in manifest["jobs"]}
    if dropped:
        console.print(
            f"the configuration has changed; jobs of before that are in no table any more: "
            f"{len(dropped)}, they stay in {comparison.output / 'jobs'}",
            soft_wrap=True,
            markup=False,
        )
    write_json(comparison.output / MANIFEST, manifest)


def _run(runner: JobRunner, comparison: Comparison, jobs: tuple[Job, ...], console: Console) -> int:
    output = comparison.output
    code, failed = DONE, dict[str, str]()
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
    with console.status("") as status, this_machine(output):
        _, tables = write_report(output, say=lambda what: status.update(Text(f"making {what}")))
    console.print(table_so_far(output))
    ended = [job for job in jobs if job.folder_name not in failed and code != INTERRUPTED]
    for folder, reason in _unusable(tables.results, ended).items():
        # Not run again by itself: all that it left is there, but not what the others left.
        advice = f"{reason}: delete {output / folder} to run it again"
        console.print(Text(f"can't be used: {advice}", style="red"), soft_wrap=True)
        code = SOME_FAILED
    for what, name in (("page", "report.html"), ("tables", "summary.md"), ("jobs", "jobs")):
        console.print(f"{what}: {output / name}", soft_wrap=True, markup=False)
    return code


def _unusable(results: pd.DataFrame, ended: list[Job]) -> dict[str, str]:
    """Why jobs that ended well are not in the tables after all, by their folders."""
    names = {(job.model.name, job.data, job.seed) for job in ended}
    return {
        str(row.folder): str(row.reason)
        for row in results.itertuples()
        if row.status == FAILED and (row.model, row.data, row.seed) in names
    }


def _runner(options: Namespace) -> JobRunner:
    if options.cores is not None and options.cores < 1:
        raise ConfigurationError(f"--cores is {options.cores}, expected 1 or more")
    if options.ray is None:
        return LocalRunner(_devices(options.workers), options.cores)
    if options.workers is not None:
        raise ConfigurationError(
            "--workers is for this machine; on a cluster as many jobs run as have --cores: drop it"
        )
    from anogan_plugin.comparison.ray_runner import RayRunner

    return RayRunner(options.ray, options.cores)


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
        if folder.has(TIMING):
            return "done"
        left = folder.is_left(TIMING)
        return "to be timed" if left else "scored (no weights: timing needs training again)"
    reason = folder.reason()
    return "to run" if reason is None else f"failed, to run again: {reason}"
