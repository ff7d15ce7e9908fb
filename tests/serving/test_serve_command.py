# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib serve`` as a user runs it."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
import uvicorn
from anomalib.models import get_model

from anogan_plugin import __version__
from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.archive.shards import Shard
from anogan_plugin.scoring.checkpoint import CheckpointScorer
from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.serving.batcher import Batcher
from anogan_plugin.serving.pipeline import Serve
from tests.archive.gated import GatedModel
from tests.archive.small import BRIGHTNESS, HERE, grey, save_checkpoint
from tests.comparison.broken import BrokenModel
from tests.comparison.gates import make_gate, open_for_good, wait_for
from tests.processes import ANOMALIB
from tests.serving.client import TIMEOUT, ask


def good_scores(folder: Path, options: list[str]) -> ScoresFolder:
    """What ``anomalib score`` leaves of 99 images in two files."""
    source = ScorerSource.of(Serve.get_parser().parse_args(options))
    scores = ScoresFolder(folder)
    scores.write_plan(iter([Shard(50, ["x.png"] * 50), Shard(49, ["x.png"] * 49)]))
    scores.begin({**source.settings(), "version": __version__})
    values = pa.array(np.arange(1, 100) / 200)
    for number, part in enumerate((values[:50], values[50:])):
        scores.write(number, pa.table({"score": part, "error": pa.nulls(len(part), pa.string())}))
    return scores


def test_terminated_service_answers_what_it_has_taken(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    checkpoint = save_checkpoint(GatedModel(str(gate)), tmp_path / "model.ckpt")
    options: list[Any] = ["--model", "tests.archive.gated.GatedModel", "--ckpt_path", checkpoint]
    options += ["--overkill", "0.05", "--good_scores", tmp_path / "good"]
    good_scores(tmp_path / "good", [str(word) for word in options])
    command = [ANOMALIB, "serve", *options, "--port", "0"]
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
        (["--ckpt_path", "m.ckpt"], "or an .onnx file, found no file m.ckpt"),
        (["--ckpt_path", "m.onnx", "--model", "AnoGAN"], "m.onnx needs no --model"),
        (["--ckpt_path", "m.onnx", "--arguments.search", "fast"], "and no --arguments"),
        (["--ckpt_path", "m.ckpt", "--model", "AnoGAM"], "'AnoGAM', did you mean 'AnoGAN'?"),
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


def _half(scores: ScoresFolder) -> None:
    (scores.path / "part-000001.parquet").unlink()


def _of_another_checkpoint(scores: ScoresFolder) -> None:
    _change(scores, checkpoint="another's")


def _of_another_version(scores: ScoresFolder) -> None:
    _change(scores, version="0.0.1")


def _change(scores: ScoresFolder, **settings: str) -> None:
    noted = scores.path / "_archive" / "archive.json"
    noted.write_text(json.dumps({**json.loads(noted.read_text()), **settings}))


def _of_who_knows_what(scores: ScoresFolder) -> None:
    (scores.path / "_archive" / "archive.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_half, "good lacks 1 of its files"),
        (_of_another_checkpoint, "good was scored with other checkpoint than"),
        (_of_another_version, "good was scored with other version than"),
        (_of_who_knows_what, "good does not say what it was scored with"),
    ],
)
def test_good_scores_that_fit_no_threshold_are_refused(
    spoil: Callable[[ScoresFolder], None],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = save_checkpoint(BrokenModel(), tmp_path / "model.ckpt")
    command = ["--model", BRIGHTNESS, "--ckpt_path", str(checkpoint), "--overkill", "0.1"]
    command += ["--good_scores", str(tmp_path / "good")]
    spoil(good_scores(tmp_path / "good", command))
    with pytest.raises(SystemExit, match="2"):
        Serve().run(Serve.get_parser().parse_args(command))
    assert reason in " ".join(capsys.readouterr().out.split())


def test_a_port_that_is_taken_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(BrokenModel(), tmp_path / "model.ckpt")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = ["--model", BRIGHTNESS, "--ckpt_path", str(checkpoint), "--port", port]
        with pytest.raises(SystemExit, match="2"):
            Serve().run(Serve.get_parser().parse_args(command))
    said = " ".join(capsys.readouterr().out.split())
    assert f"can't listen on 127.0.0.1, port {port}" in said
    assert "another --port" in said


def test_connections_and_heads_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = save_checkpoint(BrokenModel(), tmp_path / "model.ckpt")
    configured: list[uvicorn.Config] = []

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        assert len(sockets) == 1
        configured.append(server.config)

    monkeypatch.setattr(uvicorn.Server, "run", run)
    command = ["--model", BRIGHTNESS, "--ckpt_path", str(checkpoint), "--port", "0"]
    Serve().run(Serve.get_parser().parse_args([*command, "--max_images", "2"]))
    (config,) = configured
    assert config.limit_concurrency == 4 * 2 + 256
    assert config.http == "h11"  # alone in having a limit for heads
    assert config.h11_max_incomplete_event_size == 1 << 14


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
