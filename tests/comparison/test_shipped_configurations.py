# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The configurations that come with the project can be read and mean what they say."""

from pathlib import Path

import pytest
import yaml

from anogan_plugin.comparison.configuration import read_comparison
from anogan_plugin.registration import MODELS

FOLDER = Path(__file__).parents[2] / "benchmark_configs"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_can_be_run(path: Path) -> None:
    comparison = read_comparison(path)
    assert comparison.jobs
    assert comparison.description
    assert comparison.output == Path("results") / path.stem
    for job in comparison.jobs:
        assert "max_epochs" in job.model.trainer


def test_those_that_are_asked_for_are_there() -> None:
    assert {path.stem for path in FILES} == {
        "chip_photographs",
        "icmold_quick",
        "icmold_paper",
        "digits_one_class",
        "mnist_one_class",
        "mvtec_transistor",
        "own_photographs",
    }


def test_paper_compares_every_model_of_ours_on_the_papers_split() -> None:
    comparison = read_comparison(FOLDER / "icmold_paper.yaml")
    assert set(MODELS) <= {job.model.class_name for job in comparison.jobs}
    assert len({job.seed for job in comparison.jobs}) == 5
    data = yaml.safe_load((FOLDER / "icmold_paper.yaml").read_text())["data"][0]["init_args"]
    assert data["root"] == "datasets/icmold"  # rendered there with the paper's numbers by default
    steps = [job.model.init_args.get("search_steps") for job in comparison.jobs]
    assert 100_000 in steps
