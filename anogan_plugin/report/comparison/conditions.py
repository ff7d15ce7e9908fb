# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""With what jobs were computed, and where that is not the same for all that stand side by side."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from anogan_plugin.report.comparison.folder import DONE, JobRecord

_MACHINE = ("processor", "device", "threads", "host")
_NOT_SHOWN = ("system", "cores", "memory_gib", "images", *_MACHINE)
"""Of the environment what is not a version; a job with other images has failed."""


def timed_on(job: JobRecord) -> str | None:
    """The machine on which scoring was timed.

    Args:
        job: A job.

    Returns:
        Processor, device, threads and name; None if it was not timed.
    """
    about = _environment(job.timing)
    threads = about.get("threads")
    parts = [about.get("processor"), about.get("device"), threads and f"{threads} threads"]
    parts.append(about.get("host"))
    return ", ".join(str(part) for part in parts if part) or None


def not_alike(jobs: Iterable[JobRecord]) -> list[str]:
    """What differs between the jobs whose numbers are compared.

    Args:
        jobs: Of a data set.

    Returns:
        Sentences; none if all were computed with the same versions and timed on one machine.
    """
    done = [job for job in jobs if job.state == DONE]
    about = [_environment(job.result) for job in done]
    names = dict.fromkeys(name for each in about for name in each if name not in _NOT_SHOWN)
    counts = {name: Counter(str(each.get(name) or "unknown") for each in about) for name in names}
    versions = [f"{name} {_listed(found)}" for name, found in counts.items() if len(found) > 1]
    machines = Counter(filter(None, map(timed_on, done)))
    sentences = []
    if versions:
        sentences.append(f"Jobs were computed with several versions: {'; '.join(versions)}.")
    if len(machines) > 1:
        sentences.append(f"Times are of several machines: {_listed(machines, '; ')}.")
    return sentences


def _listed(counts: Counter[str], between: str = ", ") -> str:
    of = f"of {counts.total()}"
    return between.join(f"{name} ({count} {of})" for name, count in sorted(counts.items()))


def _environment(found: dict[str, Any]) -> dict[str, Any]:
    about = found.get("environment")
    return about if isinstance(about, dict) else {}
