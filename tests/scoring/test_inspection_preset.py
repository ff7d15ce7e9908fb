# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN with preset inspection: `anomalib test`, `score` and `serve` say the same."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.serving.app import Limits
from tests.archive.small import rows, score_here
from tests.processes import anomalib_here
from tests.serving.client import ask, serving

MODEL = {
    "preset": "inspection",
    "image_size": 32,
    "width": 4,
    "latent_size": 8,
    "search_steps": 10,
    "search_precision": "fp32",
}
FLAGS = ["--model", "AnoGAN", *(f"--model.{name}={value}" for name, value in MODEL.items())]


@pytest.fixture(scope="module")
def tested(rendered_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder in which the model was trained and tested, and that of the test images."""
    folder = tmp_path_factory.mktemp("inspection")
    data = ["--data", "ICMold", "--data.root", str(rendered_set), "--data.image_size", "32"]
    trainer = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu"]
    anomalib_here("train", *FLAGS, *data, "--data.train_batch_size", "8", *trainer, cwd=folder)
    return folder, rendered_set / "test"


def checkpoint(folder: Path) -> Path:
    (found,) = (path for path in folder.rglob("model.ckpt") if "latest" not in path.parts)
    return found


def scores_of_the_test(folder: Path, images: Path) -> pd.DataFrame:
    (path,) = (path for path in folder.rglob("scores_test.csv") if "latest" not in path.parts)
    table = pd.read_csv(path)
    table.index = [Path(name).relative_to(images).as_posix() for name in table.image_path]
    return table.sort_index()


def test_an_archive_has_the_scores_of_the_test(tested: tuple[Path, Path], tmp_path: Path) -> None:
    folder, images = tested
    expected = scores_of_the_test(folder, images)
    paths = ["--images", str(images), "--output", str(tmp_path / "out")]
    ended = score_here(
        ["--ckpt_path", str(checkpoint(folder)), *paths, "--workers", "1", "--shard", "5"]
    )
    assert ended.code == 0, ended.said
    found = rows(tmp_path / "out").set_index("path").sort_index()
    assert found.index.tolist() == expected.index.tolist()
    for part in ("score", "standardised", "paper", "local", "steps"):
        assert found[part].tolist() == pytest.approx(expected[part].tolist(), rel=1e-3)
    assert found.score.equals(found.standardised)
    assert found.rejected.tolist() == expected.rejected.astype(bool).tolist()


def test_the_service_has_the_scores_of_the_test(tested: tuple[Path, Path]) -> None:
    folder, images = tested
    expected = scores_of_the_test(folder, images)
    scorer = ScorerSource(checkpoint(folder), "AnoGAN", {}).open("cpu")
    bodies = [(images / name).read_bytes() for name in expected.index]
    with (
        serving(scorer, Limits(len(bodies), len(bodies), 100_000)) as port,
        ThreadPoolExecutor() as pool,
    ):
        answers = [answer.json for answer in pool.map(partial(ask, port, "POST", "/score"), bodies)]
    scores = [answer["score"] for answer in answers]
    assert scores == pytest.approx(expected.score.tolist(), rel=1e-3)
    labels = [answer["label"] == "rejected" for answer in answers]
    assert labels == expected.rejected.astype(bool).tolist()
