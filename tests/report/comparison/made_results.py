# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Results folders as a comparison leaves them, with scores drawn at random."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ANOGAN, PATCHCORE = "Ano_GAN & |fast| <50", "Patchcore"
MOULD, DIGITS = "IC mould", "digits 100%"
GOOD, ANOMALOUS, HELD_OUT = 60, 80, 50
FAILED, NOT_RUN = (ANOGAN, MOULD, 2), (PATCHCORE, DIGITS, 1)
REASON = "ValueError: 3 of 9 scores are NaN | or_infinite"


@dataclass(frozen=True)
class Size:
    """Number of images of each kind."""

    good: int = GOOD
    anomalous: int = ANOMALOUS
    held_out: int = HELD_OUT


def make_results(
    output: Path,
    models: Iterable[str] = (ANOGAN, PATCHCORE),
    data: Iterable[str] = (MOULD, DIGITS),
    seeds: int = 3,
    size: Size = Size(),
) -> Path:
    """Jobs that are all done; the first model is better, and has a score `local`."""
    jobs: list[dict[str, Any]] = []
    for seed in range(seeds):
        for data_name in data:
            for number, model in enumerate(models):
                place = number or int(model == PATCHCORE)
                folder = f"job{len(jobs)}"
                table = scores_table(place, data_name, seed, size)
                write_job(output / "jobs" / folder, table, seed, masks=data_name == MOULD)
                settings = {"model": {"init_args": search_arguments(place), "trainer": {}}}
                head = {"model": model, "class_name": "Any", "data": data_name, "seed": seed}
                jobs.append({**head, "folder": folder, "settings": settings})
    write_comparison(output, jobs)
    return output


def write_comparison(output: Path, jobs: list[dict[str, Any]], **more: Any) -> None:
    values = {
        "description": "Two models_of 100 %",
        "overkill": 0.05,
        "scores": ["score", "local"],
        "configuration": "seeds: [0]",
        "jobs": jobs,
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "comparison.json").write_text(json.dumps(values | more))


def search_arguments(place: int) -> dict[str, Any]:
    return {} if place else {"width": 8, "search": "fast", "search_steps": 30, "search_seed": None}


def scores_table(place: int, data: str, seed: int, size: Size) -> pd.DataFrame:
    """Good scores N(0, 1); anomalous ones grow with the area, less for later models."""
    images = np.random.default_rng(len(data))
    areas = np.exp(images.uniform(np.log(0.001), np.log(0.2), size.anomalous))
    rng = np.random.default_rng([place, seed, len(data)])
    labels = np.repeat([0, 0, 1], [size.held_out, size.good, size.anomalous]).astype(np.int8)
    growth = (0.9 + 0.1 * rng.normal()) / (1 + place)
    strength = np.zeros(len(labels))
    strength[labels == 1] = growth * (np.log(areas) - np.log(0.001))
    table = pd.DataFrame(
        {
            "image_path": [f"image/{index:04d}.png" for index in range(len(labels))],
            "split": np.where(np.arange(len(labels)) < size.held_out, "held_out", "test"),
            "label": labels,
            "defect_type": np.where(labels == 0, "good", "short fill"),
            "defect_area": 0.0,
            "score": 7 + 3 * (rng.normal(size=len(labels)) + strength),
        }
    )
    kinds = images.permutation(["short fill", "void"] * size.anomalous)[: size.anomalous]
    table.loc[labels == 1, "defect_type"] = kinds
    table.loc[labels == 1, "defect_area"] = areas if data == MOULD else np.nan
    if place == 0:
        table["local"] = rng.normal(size=len(labels)) + 0.8 * strength
    return table.sample(frac=1, random_state=seed)  # the tables must not rely on an order


def write_job(folder: Path, table: pd.DataFrame, seed: int, masks: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "scores.parquet", index=False)
    pixel = {"auroc": 0.9 + seed / 100, "aupro": 0.8, "f1_max": 0.5}
    result = {
        "seed": seed,
        "key": f"key{seed}",
        "status": "done",
        "train_seconds": 100.0 + seed,
        "test_seconds": 5.0,
        "epochs": 40,
        "images_tested": int((table.split == "test").sum()),
        "parameters": 1_500_000,
        "peak_memory_mib": 700.0,
        "search_steps": 25.0 if "local" in table else None,
        "pixel": pixel if masks else None,
        "problem": "the discriminator has won" if seed == 1 and "local" in table else None,
    }
    batch = {"median_ms": 2.0 + seed, "p95_ms": 3.0, "images_per_second": 500.0, "repeats": 9}
    timing = {
        "batch_1": batch,
        "batch_32": {**batch, "median_ms": 0.5},
        "environment": {
            "processor": "a processor",
            "device": "cpu",
            "threads": 2,
            "host": "a host",
        },
    }
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "timing.json").write_text(json.dumps(timing))


def jobs_of(output: Path) -> list[dict[str, Any]]:
    return json.loads((output / "comparison.json").read_text())["jobs"]


def folder_of(output: Path, model: str, data: str, seed: int) -> Path:
    """The folder of one job."""
    wanted = (model, data, seed)
    (found,) = [j for j in jobs_of(output) if (j["model"], j["data"], j["seed"]) == wanted]
    return output / "jobs" / found["folder"]


def images_tested(output: Path, model: str, data: str, seed: int) -> pd.DataFrame:
    """The rows of the test images of one job, sorted by image."""
    table = pd.read_parquet(folder_of(output, model, data, seed) / "scores.parquet")
    return table[table.split == "test"].sort_values("image_path", ignore_index=True)


def unmake(output: Path) -> None:
    """One job has failed, one was not run."""
    failed, not_run = folder_of(output, *FAILED), folder_of(output, *NOT_RUN)
    for name in ("result.json", "scores.parquet", "timing.json"):
        (failed / name).unlink()
        (not_run / name).unlink()
    not_run.rmdir()
    (failed / "error.txt").write_text(f"Traceback (most recent call last):\n  ...\n{REASON}\n")
