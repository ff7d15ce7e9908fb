# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib serve`` as a user runs it."""

import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from anomalib.models import get_model

from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.scoring.checkpoint import CheckpointScorer
from anogan_plugin.serving.batcher import Batcher
from anogan_plugin.serving.pipeline import Serve
from tests.archive.gated import GatedModel
from tests.archive.small import BRIGHTNESS, HERE, grey, save_checkpoint
from tests.comparison.broken import BrokenModel
from tests.comparison.gates import make_gate, open_for_good, wait_for
from tests.processes import ANOMALIB
from tests.serving.client import TIMEOUT, ask


def test_terminated_service_answers_what_it_has_taken(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    checkpoint = save_checkpoint(GatedModel(str(gate)), tmp_path / "model.ckpt")
    good = pd.DataFrame({"score": np.arange(1, 100) / 200, "error": None})
    good.to_parquet(tmp_path / "good.parquet")
    command: list[Any] = [ANOMALIB, "serve", "--model", "tests.archive.gated.GatedModel"]
    command += ["--model.go", gate, "--ckpt_path", checkpoint, "--port", "0"]
    command += ["--good_scores", tmp_path / "good.parquet", "--overkill", "0.05"]
    running = subprocess.Popen(
        command,
        env={**os.environ, **HERE, "COLUMNS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert running.stdout is not None
        lines = iter(running.stdout)
        found = (re.search(r"GatedModel at http://127.0.0.1:(\d+)", line) for line in lines)
        port = int(next(match for match in found if match)[1])
        # 95th of 99 scores: 0.475, between these two.
        for level, label in ((120, "accepted"), (123, "rejected")):
            assert ask(port, "POST", "/score", grey(level)).json["label"] == label
        with ThreadPoolExecutor() as pool:
            taken = pool.submit(ask, port, "POST", "/score", grey(255))
            wait_for(1, gate, running)
            running.send_signal(signal.SIGTERM)
            while _answers(port):
                pass
            open_for_good(gate)
            assert taken.result(TIMEOUT).json["score"] == pytest.approx(1)
        assert running.wait(TIMEOUT) == -signal.SIGTERM
    finally:
        running.kill()
        running.communicate()


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/health").status == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--ckpt_path", "m.ckpt"], "m.ckpt is a checkpoint: give the --model of its training"),
        (["--ckpt_path", "m.onnx", "--model", "AnoGAN"], "m.onnx needs no --model"),
        (["--ckpt_path", "m.ckpt", "--model", "AnoGAN"], "m.ckpt can't be loaded into"),
        (["--ckpt_path", "m.onnx"], "m.onnx can't be read as ONNX"),
        (["--ckpt_path", "m.onnx", "--overkill", "0.1"], "--good_scores belong together"),
        (["--ckpt_path", "m.onnx", "--max_images", "0"], "--max_images is 0, expected 1 or more"),
    ],
)
def test_wrong_command_lines_are_refused_with_a_reason(
    more: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        Serve().run(Serve.get_parser().parse_args(more))
    assert reason in " ".join(capsys.readouterr().out.split())


def test_good_scores_of_another_model_set_no_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(BrokenModel(), tmp_path / "model.ckpt")
    ScoresFolder(tmp_path / "good").keep_settings({"checkpoint": "another's"})
    command = ["--model", BRIGHTNESS, "--ckpt_path", str(checkpoint), "--overkill", "0.1"]
    with pytest.raises(SystemExit, match="2"):
        Serve().run(
            Serve.get_parser().parse_args([*command, "--good_scores", str(tmp_path / "good")])
        )
    assert "good was scored with other checkpoint" in " ".join(capsys.readouterr().out.split())


def test_images_that_come_one_by_one_join_one_search() -> None:
    torch.manual_seed(0)
    small = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 20}
    model: Any = get_model("AnoGAN", **small, search_precision="fp32").eval()
    batcher = Batcher(CheckpointScorer(model))
    images = torch.rand(9, 3, 32, 32) * 2 - 1
    verdicts = [batcher.submit(image) for image in images]
    found = [verdict.result(TIMEOUT).parts["score"] for verdict in verdicts]
    batcher.close()
    np.testing.assert_allclose(found, model.model.score(images).pred_score, rtol=1e-4)
