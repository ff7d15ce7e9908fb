# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib compare`` loses nothing when something goes wrong, and goes on from there."""

import signal
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import yaml

from tests.comparison.gates import make_gate, open_for_good, started, wait_for
from tests.comparison.small import (
    HERE,
    TIMEOUT,
    broken,
    compare,
    compare_here,
    jobs_of,
    small_comparison,
    start,
    write,
)


@pytest.fixture
def configuration(rendered_set: Path) -> dict[str, Any]:
    return small_comparison(rendered_set)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return make_gate(tmp_path)


def test_failures_stay_rows_and_the_rest_is_done_once(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    # Every way to fail beside a model that works, then the same command again.
    twice = broken("", "train")
    del twice["name"]
    configuration["models"] = [
        broken("unbuildable", "build"),
        {**twice, "scorings": {"crash": {}, "crash, scored otherwise": {"go": "x"}}},
        broken("not a number", "nan"),
        broken("killed", "memory"),
        *configuration["models"],
    ]
    config = write(tmp_path / "c.yaml", configuration)
    first = compare_here(config)
    assert first.code == 1, first.said
    jobs = jobs_of(config)
    rows = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    reasons = {
        "unbuildable": "RuntimeError: this model can't be built",
        "crash": "RuntimeError: no convergence [/red]",
        "crash, scored otherwise": "RuntimeError: no convergence [/red]",
        "not a number": "NaN",
        "killed": "SIGKILL",
    }
    for name, reason in reasons.items():
        assert rows.status[name] == "failed"
        assert reason in rows.reason[name]
        assert reason in first.said
        assert not (jobs[name] / "result.json").exists()
    assert rows.status["ConvAutoencoder"] == "done"
    assert "Traceback" in (jobs["crash"] / "error.txt").read_text()
    assert yaml.safe_load((jobs["crash"] / "config.yaml").read_text())["seed"] == 0
    # Trained once, for both.
    assert not (jobs["crash, scored otherwise"] / "log.txt").exists()

    done = (jobs["ConvAutoencoder"] / "result.json").read_bytes()
    second = compare_here(config)
    assert second.code == 1
    assert "1 of 6 jobs done; to run: 5" in second.said
    assert (jobs["ConvAutoencoder"] / "result.json").read_bytes() == done


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_stopped_comparison_takes_its_processes_along_and_goes_on(
    end: signal.Signals, configuration: dict[str, Any], tmp_path: Path, gate: Path
) -> None:
    configuration["models"].append(broken("slow", "wait", go=str(gate)))
    config = write(tmp_path / "c.yaml", configuration)
    running = start(config, environment=HERE)
    child = psutil.Process(*wait_for(1, gate, running))
    running.send_signal(end)  # to the comparison alone, not to its processes
    said, _ = running.communicate(timeout=TIMEOUT)
    assert running.returncode == (130 if end == signal.SIGINT else -end), said
    assert not psutil.wait_procs([child], timeout=TIMEOUT)[1]
    if end == signal.SIGINT:
        assert "the same command goes on" in said
        assert (tmp_path / "out" / "summary.md").exists()
    first = (jobs_of(config)["ConvAutoencoder"] / "result.json").read_bytes()

    open_for_good(gate)
    finished = compare_here(config)
    assert finished.code == 0, finished.said
    assert (jobs_of(config)["ConvAutoencoder"] / "result.json").read_bytes() == first
    assert (jobs_of(config)["slow"] / "timing.json").exists()


def test_two_comparisons_in_one_folder_run_every_job_once(
    configuration: dict[str, Any], tmp_path: Path, gate: Path
) -> None:
    configuration["models"] = [
        broken("slow", "wait", go=str(gate)),
        broken("lets it go on", "open", go=str(gate)),
    ]
    config = write(tmp_path / "c.yaml", configuration)
    first = start(config, environment=HERE)
    (child,) = wait_for(1, gate, first)
    # The second passes over what the first one runs, and waits for that in the end.
    second = compare_here(config)
    said, _ = first.communicate(timeout=TIMEOUT)
    assert (first.returncode, second.code) == (0, 0), said + second.said
    assert started(gate).read_text() in {"", f"{child}\n"}  # who trained last
    assert "done: lets it go on" in second.said
    assert pd.read_csv(tmp_path / "out" / "results.csv").status.eq("done").all()


def test_full_disk_costs_a_job_and_nothing_else(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    configuration["models"].append(broken("tiny", ""))
    config = write(tmp_path / "c.yaml", configuration)
    # No file may grow beyond this: a checkpoint of the autoencoder can't be written.
    full = compare(config, environment=HERE, largest_file=25_000)
    assert full.returncode == 1, full.stdout + full.stderr
    rows = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    assert dict(rows.status) == {"ConvAutoencoder": "failed", "tiny": "done"}
    assert "File too large" in rows.reason["ConvAutoencoder"]
    emptied = compare_here(config)
    assert emptied.code == 0, emptied.said
    assert "1 of 2 jobs done; to run: 1" in emptied.said
