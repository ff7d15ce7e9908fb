# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib compare`` as a user runs it, and what is left when something goes wrong."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from sklearn.metrics import roc_auc_score

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
from tests.processes import ANOMALIB, run


@pytest.fixture
def configuration(rendered_set: Path) -> dict[str, Any]:
    return small_comparison(rendered_set)


def test_subcommand_has_help(tmp_path: Path) -> None:
    assert "--dry_run" in run(ANOMALIB, "compare", "--help", cwd=tmp_path).stdout


def test_failures_stay_rows_and_the_rest_is_done_once(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    # Every way to fail beside a model that works, then the same command again.
    configuration["models"] = [
        broken("unbuildable", "build"),
        broken("crash", "train"),
        broken("not a number", "nan"),
        broken("killed", "memory"),
        *configuration["models"],
    ]
    config = write(tmp_path / "c.yaml", configuration)
    first = compare(config, environment=HERE)
    assert first.returncode == 1, first.stdout + first.stderr
    jobs = jobs_of(config)
    rows = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    reasons = {
        "unbuildable": "RuntimeError: this model can't be built",
        "crash": "RuntimeError: no convergence [/red]",
        "not a number": "NaN",
        "killed": "SIGKILL",
    }
    for name, reason in reasons.items():
        assert rows.status[name] == "failed"
        assert reason in rows.reason[name]
        assert reason in first.stdout
        assert not (jobs[name] / "result.json").exists()
        assert yaml.safe_load((jobs[name] / "config.yaml").read_text())["seed"] == 0
    assert rows.status["ConvAutoencoder"] == "done"
    assert "Traceback" in (jobs["crash"] / "error.txt").read_text()

    done = (jobs["ConvAutoencoder"] / "result.json").read_bytes()
    second = compare_here(config)
    assert second.code == 1
    assert "1 of 5 jobs done; to run: 4" in second.said
    assert (jobs["ConvAutoencoder"] / "result.json").read_bytes() == done


def test_done_job_has_raw_scores_of_all_images_and_what_it_took(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    configuration["models"] = [broken("brightness", "")]
    config = write(tmp_path / "c.yaml", configuration)
    finished = compare_here(config)
    assert finished.code == 0, finished.said
    folder = jobs_of(config)["brightness"]
    scores = pd.read_parquet(folder / "scores.parquet")
    assert dict(scores.groupby("split").size()) == {"held_out": 2, "test": 12}
    assert np.isclose(scores.score, _brightness(scores, configuration)).all()
    defects = scores[scores.label == 1]
    assert (defects.defect_type == "short_fill").all()
    assert (defects.defect_area > 0).all()
    assert (scores[scores.label == 0].defect_area == 0).all()
    result = json.loads((folder / "result.json").read_text())
    assert result["epochs"] == 1
    assert result["parameters"] == 1
    assert result["environment"]["anomalib"].startswith("2.7")
    timing = json.loads((folder / "timing.json").read_text())
    assert timing["batch_1"]["median_ms"] > 0
    assert timing["batch_32"]["p95_ms"] >= timing["batch_32"]["median_ms"]
    row = pd.read_csv(tmp_path / "out" / "results.csv").iloc[0]
    test = scores[scores.split == "test"]
    assert row.image_auroc == pytest.approx(roc_auc_score(test.label, test.score))
    # Called again, there is nothing to do.
    again = compare_here(config)
    assert again.code == 0
    assert "to run" not in again.said


def _brightness(scores: pd.DataFrame, configuration: dict[str, Any]) -> list[float]:
    from anogan_plugin.data.image_io import read_pixels, to_unit_range

    root = Path(configuration["data"][0]["init_args"]["root"])
    return [float(to_unit_range(read_pixels(root / path)).mean()) for path in scores.image_path]


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return make_gate(tmp_path)


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
    configuration["models"] = [broken("slow", "wait", go=str(gate)), *configuration["models"]]
    config = write(tmp_path / "c.yaml", configuration)
    first = start(config, environment=HERE)
    (child,) = wait_for(1, gate, first)
    second = start(config, environment=HERE)
    # It passes over what the first one runs, and waits for that in the end.
    assert second.stdout is not None
    assert any(line.startswith("done: ConvAutoencoder") for line in second.stdout)
    open_for_good(gate)
    for each in (first, second):
        said, _ = each.communicate(timeout=TIMEOUT)
        assert each.returncode == 0, said
    assert started(gate).read_text() in {"", f"{child}\n"}  # who trained last
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


def test_changed_configuration_is_a_new_job_and_the_old_result_stays(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    configuration["models"] = [broken("brightness", "")]
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config).code == 0
    before = jobs_of(config)["brightness"]
    configuration["trainer"]["max_epochs"] = 2
    assert compare_here(write(config, configuration)).code == 0
    after = jobs_of(config)["brightness"]
    assert after != before
    assert (before / "result.json").exists()
    assert json.loads((after / "result.json").read_text())["epochs"] == 2


def test_scores_and_masks_do_not_depend_on_who_trained_nor_on_a_models_size(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    small = {"image_size": 32, "width": 4, "latent_size": 8}
    configuration["models"] = [
        {
            "class_path": "ConvAutoencoder",
            "init_args": {**small, "image_size": 64},
            "scorings": {"first": {"image_score": "mean"}, "second": {"image_score": "sum"}},
        },
        {"class_path": "ConvAutoencoder", "name": "half the size", "init_args": small},
    ]
    config = write(tmp_path / "c.yaml", configuration)
    ended = compare_here(config)
    assert ended.code == 0, ended.said
    jobs = jobs_of(config)
    tables = {name: pd.read_parquet(path / "scores.parquet") for name, path in jobs.items()}
    results = {name: json.loads((path / "result.json").read_text()) for name, path in jobs.items()}
    areas = {name: table.defect_area.tolist() for name, table in tables.items()}
    assert areas["first"] == areas["second"] == areas["half the size"]
    # The second took the weights of the first.
    assert results["first"]["train_seconds"] == results["second"]["train_seconds"]
    assert results["first"]["pixel"] == results["second"]["pixel"]
    assert np.allclose(tables["second"].score, tables["first"].score * 64 * 64, rtol=1e-4)


def test_other_images_are_trained_on_anew(configuration: dict[str, Any], tmp_path: Path) -> None:
    images = tmp_path / "images"
    shutil.copytree(configuration["data"][0]["init_args"]["root"], images)
    (images / "dataset.json").unlink()  # own images, of which some may go
    configuration["data"][0]["init_args"]["root"] = str(images)
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config).code == 0
    folder = jobs_of(config)["ConvAutoencoder"]
    weights = next((tmp_path / "out" / "trained").iterdir()) / "model.ckpt"
    before = weights.stat().st_mtime_ns
    (folder / "scores.parquet").write_bytes(b"cut")  # as by a loss of power: scored again
    assert compare_here(config).code == 0
    assert weights.stat().st_mtime_ns == before
    next((images / "train" / "good").iterdir()).unlink()
    (folder / "result.json").write_text("{")
    assert compare_here(config).code == 0
    assert weights.stat().st_mtime_ns != before


def test_dry_run_lists_and_writes_nothing(configuration: dict[str, Any], tmp_path: Path) -> None:
    config = write(tmp_path / "c.yaml", configuration)
    listed = compare_here(config, "--dry_run")
    assert listed.code == 0, listed.said
    assert "ConvAutoencoder on moulds, seed 0" in listed.said
    assert "1 to run" in listed.said
    assert not (tmp_path / "out").exists()


def test_only_runs_some_and_names_the_others(configuration: dict[str, Any], tmp_path: Path) -> None:
    configuration["models"].append(broken("brightness", ""))
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config, "--only", "brightness").code == 0
    rows = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    assert dict(rows.status) == {"ConvAutoencoder": "not run", "brightness": "done"}
    wrong = compare_here(config, "--only", "brightnes")
    assert wrong.code == 2
    assert "did you mean 'brightness'" in wrong.said


def test_wrong_configuration_ends_with_code_2_and_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("seeds: [0]\n")
    wrong = compare(config)
    assert wrong.returncode == 2
    assert "line 1: data is missing" in wrong.stdout
    assert "Traceback" not in wrong.stdout + wrong.stderr
    assert not (tmp_path / "out").exists()
