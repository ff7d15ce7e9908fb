# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The stock `anomalib` command by short names; two of its calls are the executable itself."""

import csv
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image
from sklearn.metrics import roc_auc_score

from tests.processes import ANOMALIB, anomalib_here, run

MODEL = {"image_size": 32, "width": 8, "search_steps": 3}
DATA = {
    "root": "icmold",
    "train_good": 24,
    "test_good": 6,
    "test_defects": 6,
    "image_size": 32,
    "train_batch_size": 8,
}
CHECKPOINT = "results/AnoGAN/ICMold/icmold/latest/weights/lightning/model.ckpt"


def options(group: str, values: Mapping[str, object]) -> list[str]:
    """Arguments of the command, such as ``--model.width 8``."""
    return [text for name, value in values.items() for text in (f"--{group}.{name}", str(value))]


ANOGAN = ["--model", "AnoGAN", *options("model", MODEL)]
TRAINED = ["--ckpt_path", CHECKPOINT]
ON_CPU = ["--trainer.accelerator", "cpu"]


def area_under_roc(printed: str) -> float:
    """The value of `image_AUROC` in the table that `anomalib test` prints."""
    match = re.search(r"image_AUROC\s*│\s*([\d.]+)", printed)
    assert match, printed
    return float(match[1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which `anomalib train` has rendered a set and trained on it for one epoch."""
    folder = tmp_path_factory.mktemp("trained")
    data = ["--data", "ICMold", *options("data", DATA)]
    run(ANOMALIB, "train", *ANOGAN, *data, *ON_CPU, "--trainer.max_epochs", "1", cwd=folder)
    return folder


def test_train_renders_the_set_and_leaves_a_checkpoint(trained: Path) -> None:
    assert len([*(trained / "icmold" / "train" / "good").iterdir()]) == 24
    assert len([*(trained / "icmold" / "test" / "short_fill").iterdir()]) == 6
    assert (trained / CHECKPOINT).is_file()


def test_test_prints_the_metrics(trained: Path) -> None:
    data = ["--data", "ICMold", "--data.root", "icmold"]
    result = run(ANOMALIB, "test", *ANOGAN, *data, *TRAINED, *ON_CPU, cwd=trained)
    tables = sorted(trained.rglob("scores_test.csv"), key=lambda path: path.stat().st_mtime)
    scores = pd.read_csv(tables[-1])
    expected = roc_auc_score(scores.label, scores.score)
    assert scores.score.min() > 1, "raw scores, which torchmetrics would take for logits"
    assert area_under_roc(result.stdout) == pytest.approx(expected, abs=1e-3)


def test_predict_on_a_folder_of_photographs(trained: Path) -> None:
    photographs = trained / "some photographs"
    photographs.mkdir()
    good, short_filled = (trained / "icmold" / "test" / kind for kind in ("good", "short_fill"))
    shutil.copy(next(good.iterdir()), photographs / "good.png")
    with Image.open(next(short_filled.iterdir())) as picture:
        picture.resize((120, 90)).save(photographs / "larger.jpg")

    data = ["--data", str(photographs)]
    anomalib_here("predict", *ANOGAN, *data, *TRAINED, *ON_CPU, cwd=trained)

    drawn = (trained / "results/AnoGAN/latest/images/some photographs").iterdir()
    assert {path.name for path in drawn} == {"good.png", "larger.jpg.png"}


def test_the_bundled_digits_train_and_test_in_one_command(tmp_path: Path) -> None:
    data = ["--data", "OneClassDigits", "--data.normal_digits", "[1]"]
    short = ["--trainer.max_epochs", "1", "--trainer.limit_test_batches", "2"]
    printed = anomalib_here("train", *ANOGAN, *data, *ON_CPU, *short, cwd=tmp_path)
    assert 0 <= area_under_roc(printed) <= 1


def test_stock_benchmark(
    tmp_path: Path, rendered_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"root": str(rendered_set), "image_size": 32, "train_batch_size": 8}
    jobs = {
        "seed": 1,
        "model": {"class_path": "AnoGAN", "init_args": MODEL},
        "data": {"class_path": "ICMold", "init_args": data},
    }
    config = tmp_path / "benchmark.yaml"
    config.write_text(yaml.safe_dump({"accelerator": "cpu", "benchmark": jobs}), encoding="utf-8")

    # The benchmark has no option for it, but Lightning's Trainer reads it from the environment.
    monkeypatch.setenv("PL_TRAINER_MAX_EPOCHS", "1")
    printed = anomalib_here("benchmark", "--config", config, cwd=tmp_path)

    tables = [*(tmp_path / "runs" / "benchmark").glob("*/results.csv")]
    assert len(tables) == 1, printed
    with tables[0].open(encoding="utf-8") as table:
        (row,) = csv.DictReader(table)
    assert row["model.class_path"] == "AnoGAN"
    assert row["data.class_path"] == "ICMold"
    assert 0 <= float(row["image_AUROC"]) <= 1
