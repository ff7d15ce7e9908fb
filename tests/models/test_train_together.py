# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Two processes that train one model: they end alike, and as one process would."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from anomalib.models import get_model

from tests.models.test_registered_models import TINY

SCRIPT = "tests.models.train_together"
REPOSITORY = Path(__file__).parents[2]


def trained(processes: int, name: str, data: Path, output: Path) -> list[dict[str, Any]]:
    output.mkdir()
    subprocess.run(
        [sys.executable, "-m", SCRIPT, str(processes), name, str(data), str(output)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return [torch.load(output / f"of_process_{rank}.pt") for rank in range(processes)]


IN_ONE_PROCESS = {"PCA", "SupervisedCNN"}
QUICK = "ConvAutoencoder"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == QUICK else pytest.mark.slow)
        for name in sorted({*TINY} - IN_ONE_PROCESS)
    ],
)
def test_two_processes_end_alike_and_as_one_would(
    name: str, rendered_set: Path, tmp_path: Path
) -> None:
    first, second = trained(2, name, rendered_set, tmp_path / "two")
    (alone,) = trained(1, name, rendered_set, tmp_path / "one")
    assert first["threshold"] == second["threshold"]
    for key, value in first["weights"].items():
        other = second["weights"][key]
        torch.testing.assert_close(other, value, rtol=0, atol=0, equal_nan=True, msg=key)
    assert first["measured"]["held_out_residual"] == second["measured"]["held_out_residual"]
    residual = alone["measured"]["held_out_residual"]
    assert first["measured"]["held_out_residual"] == pytest.approx(residual, rel=0.1)
    assert first["measured"].keys() == alone["measured"].keys()
    if name == QUICK:  # a GAN's losses are not the same twice
        assert first["measured"]["loss"] == pytest.approx(alone["measured"]["loss"], rel=0.2)


@pytest.mark.parametrize("name", sorted(IN_ONE_PROCESS))
def test_models_that_need_all_images_refuse_several_processes(name: str) -> None:
    model: Any = get_model(name, **TINY[name])
    model.trainer = SimpleNamespace(world_size=2)
    with pytest.raises(ValueError, match=f"{name} trains in one process, found 2"):
        model.setup("fit")
