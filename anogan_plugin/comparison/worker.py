# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a process does that runs a job for others."""

import os
import sys
from pathlib import Path

import torch

from anogan_plugin.comparison.execution import run_job, time_job
from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder

_ACTIONS = {RESULT: run_job, TIMING: time_job}


def work(stage: str, job: Job, output: Path, device: str, threads: int) -> str | None:
    """Run a stage of a job in this process; what it prints goes to the job's ``log.txt``.

    Args:
        stage: ``result.json`` or ``timing.json``: what shall be there afterwards.
        job: The job.
        output: Folder of the comparison.
        device: ``cpu``, or ``cuda:0`` and so on.
        threads: Threads that torch may use.

    Returns:
        Why it failed, None if it did not.
    """
    try:
        _print_to(JobFolder(output, job).log)
        torch.set_num_threads(threads)
        _ACTIONS[stage](job, output, device)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _print_to(path: Path) -> None:
    """Send what this process and its libraries print to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with path.open("a") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
