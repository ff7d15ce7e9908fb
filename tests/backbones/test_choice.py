# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which network the models get, with and without the hub."""

import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from anomalib.models.components import TimmFeatureExtractor

from anogan_plugin.backbones import choice
from anogan_plugin.backbones.choice import ARGUMENTS, HUB_BACKBONE, OFFLINE_BACKBONE, best_backbone

REPOSITORY = "models--timm--wide_resnet50_2.racm_in1k"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub that is not the user's own."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that takes calls and never answers."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        yield


def test_offline(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with caplog.at_level(logging.WARNING):
        arguments = best_backbone("Patchcore")
    assert arguments == {"backbone": OFFLINE_BACKBONE, "layers": ["blocks.2", "blocks.4"]}
    assert HUB_BACKBONE in caplog.text
    assert "OfflineModeIsEnabled" in caplog.text


@pytest.mark.usefixtures("silent_hub")
def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_SECONDS_TO_ANSWER", 0.5)
    start = time.perf_counter()
    assert best_backbone("Padim")["backbone"] == OFFLINE_BACKBONE
    assert time.perf_counter() - start < 10


@pytest.mark.usefixtures("silent_hub")
def test_cached_weights_are_taken_without_asking_the_hub(empty_cache: Path) -> None:
    revision = "0" * 40
    weights = empty_cache / REPOSITORY / "snapshots" / revision / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    (empty_cache / REPOSITORY / "refs").mkdir()
    (empty_cache / REPOSITORY / "refs" / "main").write_text(revision)

    expected = {"backbone": HUB_BACKBONE, "layers": ["layer2", "layer3"]}
    assert best_backbone("Patchcore") == expected
    assert best_backbone("Padim")["n_features"] == 550


@pytest.mark.parametrize("model", ARGUMENTS[HUB_BACKBONE])
def test_layers_are_alike_in_both_networks(model: str) -> None:
    strides = []
    for backbone, arguments in ARGUMENTS.items():
        layers = arguments[model]["layers"]
        extractor = TimmFeatureExtractor(backbone, layers, pre_trained=False)
        assert extractor.layers == layers  # it drops those that it does not find
        assert arguments[model].get("n_features", 1) <= sum(extractor.out_dims)
        strides.append(extractor.reductions)
    assert strides[0] == strides[1]
