# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scorers of checkpoints and of exported files, and the sequences that they read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from anomalib.data import InferenceBatch
from anomalib.models import get_model
from torch import nn

from anogan_plugin.models.f_anogan import FAnoGAN
from anogan_plugin.scoring.checkpoint import CheckpointScorer
from anogan_plugin.scoring.onnx import OnnxScorer
from anogan_plugin.scoring.scorer import Scored, Scorer
from anogan_plugin.scoring.sequence import Lookahead, batches
from tests.comparison.broken import BrokenModel


def joined(scorer: Scorer, images: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Scores and labels, in the order of the images."""
    parts: list[Scored] = list(scorer.stream(images))
    order = np.argsort([position for part in parts for position in part.index])
    scores = np.concatenate([part.parts["score"] for part in parts])[order]
    labels = [part.rejected for part in parts if part.rejected is not None]
    return scores, np.concatenate(labels)[order] if labels else None


def test_lookahead_reads_no_further_than_it_must() -> None:
    taken: list[int] = []

    def images() -> Iterator[torch.Tensor]:
        for number in range(5):
            taken.append(number)
            yield torch.full((1,), number)

    ahead = Lookahead(images(), ahead=2)
    assert not taken
    assert len(ahead) == 2
    assert taken == [0, 1]
    assert [int(ahead[index]) for index in range(2)] == [0, 1]
    assert len(ahead) == 4
    assert [int(ahead[index]) for index in range(2, 5)] == [2, 3, 4]
    assert len(ahead) == 5
    with pytest.raises(IndexError, match="expected 5, got 1"):
        ahead[1]


def test_batches_hold_images_of_one_shape_and_each_image_once() -> None:
    images = [torch.full((3, side, side), number) for number, side in enumerate([4, 5, 4, 4, 5])]
    found = list(batches(Lookahead(images, 3), 3))
    assert [index for index, _ in found] == [[0, 2], [1], [3], [4]]
    for index, batch in found:
        assert batch[:, 0, 0, 0].tolist() == index


def test_labels_are_anomalibs_own() -> None:
    model = BrokenModel()
    images = torch.linspace(0, 1, 9).reshape(9, 1, 1, 1).expand(9, 3, 4, 4)
    assert joined(CheckpointScorer(model), images)[1] is None
    judge: Any = model.post_processor
    for name, value in {"_image_threshold": 0.4, "image_min": 0.1, "image_max": 0.8}.items():
        getattr(judge, name).fill_(value)
    for sensitivity in (0.5, 0.7):
        judge.image_sensitivity = sensitivity
        scores, labels = joined(CheckpointScorer(model), images)
        expected = judge(InferenceBatch(pred_score=torch.from_numpy(scores))).pred_label
        assert labels is not None
        assert labels.tolist() == expected.tolist()
        assert 0 < labels.sum() < 9
    np.testing.assert_allclose(scores, np.linspace(0, 1, 9), rtol=1e-6)


@pytest.mark.parametrize("how", ["nan"])
def test_scores_that_are_no_numbers_are_refused(how: Literal["nan"]) -> None:
    with pytest.raises(ValueError, match="2 of 2 scores are NaN or infinite"):
        list(CheckpointScorer(BrokenModel(how)).stream(torch.zeros(2, 3, 4, 4)))


@pytest.mark.parametrize("name", ["AnoGAN", "FAnoGAN"])
def test_one_search_over_all_images_scores_as_a_batch_does(name: str) -> None:
    torch.manual_seed(0)
    small = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 6}
    model: Any = get_model(name, **small, search_precision="fp32").eval()
    images = torch.rand(7, 3, 32, 32) * 2 - 1
    expected = model.model.score(images)
    model.model.latent_search().batch_size = 3
    found = list(model.model.stream(images))
    order = torch.cat([index for index, _ in found]).argsort()
    assert len(found) > 1
    for part, values in expected.parts.items():
        torch.testing.assert_close(torch.cat([s.parts[part] for _, s in found])[order], values)
    maps = torch.cat([scores.anomaly_map for _, scores in found])[order]
    torch.testing.assert_close(maps, expected.anomaly_map)
    assert isinstance(model, FAnoGAN) == (model.model.start is not None)


class _Brightness(nn.Module):
    """What an export is of: a score, a map and a label."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        score = images.mean((1, 2, 3))
        return score, images.mean(1, keepdim=True), score > 0.5


def export(path: Path, example: torch.Tensor, names: list[str], dynamic: bool) -> Path:
    axes = {"input": {0: "n", 2: "h", 3: "w"}} if dynamic else None
    torch.onnx.export(
        _Brightness(),
        (example,),
        path,
        input_names=["input"],
        output_names=names,
        dynamic_axes=axes,
        dynamo=False,
    )
    return path


@pytest.mark.parametrize("dynamic", [True, False])
def test_exported_file_scores_images_of_its_size_or_any(tmp_path: Path, dynamic: bool) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime (anogan_plugin[serve])")
    names = ["pred_score", "anomaly_map", "pred_label"]
    scorer = OnnxScorer(export(tmp_path / "m.onnx", torch.rand(2, 3, 8, 8), names, dynamic))
    levels = np.linspace(0, 1, 5, dtype=np.float32)
    images = [np.full((3, 12, 10), level) for level in levels]
    ready = [scorer.prepare(image) for image in images]
    assert ready[0].shape == ((3, 12, 10) if dynamic else (3, 8, 8))
    scores, labels = joined(scorer, ready)
    np.testing.assert_allclose(scores, levels, rtol=1e-5)
    assert labels is not None
    assert labels.tolist() == [False, False, False, True, True]
    maps = [part.maps for part in scorer.stream(ready)]
    assert maps[0] is not None
    assert maps[0].shape[1:] == ready[0].shape[1:]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("ConvAutoencoder", {}), ("AnoGAN", {"search_steps": 3, "search_precision": "fp32"})],
)
def test_our_exports_score_as_their_checkpoints(
    name: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    for package in ("onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason=f"needs {package} (extras serve and export)")
    torch.manual_seed(0)
    small = {"image_size": 32, "width": 4, "latent_size": 8}
    model: Any = get_model(name, **small, **arguments).eval()
    checkpoint = CheckpointScorer(model)
    photographs = np.random.default_rng(0).random((3, 3, 40, 48), np.float32)
    expected, _ = joined(checkpoint, [checkpoint.prepare(image) for image in photographs])
    exported = OnnxScorer(model.to_onnx(tmp_path))
    found, _ = joined(exported, [exported.prepare(image) for image in photographs])
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_other_files_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime (anogan_plugin[serve])")
    (tmp_path / "text.onnx").write_text("no")
    with pytest.raises(ValueError, match=r"text.onnx can't be read as ONNX"):
        OnnxScorer(tmp_path / "text.onnx")
    other = export(tmp_path / "o.onnx", torch.rand(1, 3, 8, 8), ["a", "b", "c"], dynamic=False)
    with pytest.raises(ValueError, match=r"o.onnx has the inputs .* expected one input"):
        OnnxScorer(other)
