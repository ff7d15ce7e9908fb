# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What every registered model must do inside anomalib; a new model is tested by its name alone."""

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from anomalib.deploy import OpenVINOInferencer, TorchInferencer
from anomalib.engine import Engine
from anomalib.models import AnomalibModule, get_model
from jsonargparse import ArgumentParser
from PIL import Image
from sklearn.metrics import roc_auc_score

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.data.image_io import read_pixels, to_unit_range
from anogan_plugin.models.components.learnt_from_good import LearntFromGood, UnfittedError
from anogan_plugin.registration import MODELS
from anogan_plugin.scoring.sequence import Lookahead
from anogan_plugin.scoring.source import ScorerSource
from tests.processes import anomalib_here

TINY: dict[str, dict[str, Any]] = {
    "ALAD": {"image_size": 32, "width": 4, "latent_size": 8},
    "AnoGAN": {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 3},
    "EfficientGAN": {"image_size": 32, "width": 4, "latent_size": 8},
    "FAnoGAN": {"image_size": 32, "width": 4, "latent_size": 8},
    "PCA": {"image_size": 32, "components": 2},
    "SupervisedCNN": {"image_size": 32, "width": 4},
    "ConvAutoencoder": {"image_size": 32, "width": 4, "latent_size": 8},
    "VAE": {"image_size": 32, "width": 4, "latent_size": 8},
}


def data(root: Path) -> ICMold:
    # One defect of six is set aside for the models that need it, and no model is tested on it.
    return ICMold(
        root=root, image_size=32, train_batch_size=8, held_out_ratio=0.25, labelled_defects=1
    )


@pytest.fixture(scope="module", params=sorted(MODELS))
def trained(
    request: pytest.FixtureRequest,
    rendered_set: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:
    """A model after two epochs and a test, with all it left."""
    folder = tmp_path_factory.mktemp(request.param)
    model = get_model(request.param, **TINY[request.param])
    engine = Engine(max_epochs=2, default_root_dir=folder, accelerator="cpu", devices=1)
    engine.fit(model, datamodule=data(rendered_set))
    metrics = engine.test(model, datamodule=data(rendered_set))[0]
    (scores,) = folder.rglob("scores_test.csv")
    return SimpleNamespace(
        name=request.param,
        model=model,
        folder=scores.parent,
        metrics=metrics,
        scores=pd.read_csv(scores),
        checkpoint=Path(str(engine.best_model_path)),
        data=rendered_set,
    )


def test_every_image_has_a_raw_score_and_its_parts(trained: SimpleNamespace) -> None:
    scores = trained.scores
    assert len(scores) == 11
    assert sorted(scores.label.unique()) == [0, 1]
    assert scores.drop(columns="image_path").notna().all(axis=None)
    parts = set(scores.columns) - {"image_path", "label", "score", "rejected", "picture"}
    assert parts, "a model keeps the parts of its score"
    assert scores.score.nunique() == 11, "raw scores have no ties from clamping"


def test_the_printed_auroc_is_scikit_learns(trained: SimpleNamespace) -> None:
    expected = roc_auc_score(trained.scores.label, trained.scores.score)
    assert trained.metrics["image_AUROC"] == pytest.approx(expected, abs=1e-5)
    assert 0 <= trained.metrics["pixel_AUROC"] <= 1


def test_a_threshold_was_set_on_held_out_images(trained: SimpleNamespace) -> None:
    threshold = float(trained.model.post_processor.image_threshold)
    assert math.isfinite(threshold)
    assert (trained.scores.rejected == (trained.scores.score > threshold)).all()


def test_no_image_that_set_the_threshold_is_rejected(trained: SimpleNamespace) -> None:
    # Of fewer than a hundred the 99 % quantile is the largest, if both are computed alike.
    module = data(trained.data)
    module.setup()
    transform = trained.model.pre_processor.transform
    held_out: list[Any] = [module.val_data[index] for index in range(len(module.val_data))]
    images = transform(torch.stack([item.image for item in held_out]))
    scores = trained.model.eval().model.score(trained.model.model.images_of(images)).pred_score
    threshold = float(trained.model.post_processor.image_threshold)
    assert float(scores.max()) == pytest.approx(threshold, rel=1e-4)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_scores_do_not_depend_on_the_trainers_precision(
    name: str, rendered_set: Path, tmp_path: Path
) -> None:
    model = get_model(name, **TINY[name], visualizer=False)
    tables: list[pd.DataFrame] = []
    for precision in ("bf16-mixed", "32-true"):
        folder = tmp_path / precision
        engine = Engine(
            max_epochs=2,
            default_root_dir=folder,
            accelerator="cpu",
            devices=1,
            precision=precision,
        )
        if not tables:
            engine.fit(model, datamodule=data(rendered_set))
        engine.test(model, datamodule=data(rendered_set))
        (path,) = folder.rglob("scores_test.csv")
        tables.append(pd.read_csv(path).sort_values("image_path", ignore_index=True))
    pd.testing.assert_frame_equal(*tables, rtol=1e-5)


def test_there_is_a_picture_of_every_test_image(trained: SimpleNamespace) -> None:
    pictures = list((trained.folder / "images").rglob("*.png"))
    assert len(pictures) == 11
    assert {trained.folder / name for name in trained.scores.picture} == set(pictures)
    with Image.open(pictures[0]) as picture:
        assert picture.width > picture.height


def test_the_checkpoint_is_plain_and_scores_the_same(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    torch.load(trained.checkpoint, weights_only=True)
    model: AnomalibModule = type(trained.model).load_from_checkpoint(trained.checkpoint)
    engine = Engine(default_root_dir=tmp_path, accelerator="cpu", devices=1)
    engine.test(model, datamodule=data(trained.data))
    (path,) = tmp_path.rglob("scores_test.csv")
    expected = trained.scores.sort_values("image_path", ignore_index=True)
    found = pd.read_csv(path).sort_values("image_path", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4)


def test_it_predicts_single_photographs(trained: SimpleNamespace, tmp_path: Path) -> None:
    engine = Engine(default_root_dir=tmp_path, accelerator="cpu", devices=1)
    good = trained.data / "test" / "good"
    engine.predict(trained.model, data_path=good, return_predictions=False)
    (path,) = tmp_path.rglob("scores_predict.csv")
    found = pd.read_csv(path)
    tested = trained.scores[trained.scores.label == 0]
    by_name = dict(zip(tested.image_path.map(lambda p: Path(p).name), tested.score, strict=True))
    assert found.label.isna().all()
    for row in found.itertuples():
        assert row.score == pytest.approx(by_name[Path(row.image_path).name], rel=1e-3)


def test_a_scorer_gives_the_scores_of_the_test(trained: SimpleNamespace) -> None:
    parser = ArgumentParser()
    ScorerSource.add_arguments(parser)
    asked = parser.parse_args(["--ckpt_path", str(trained.checkpoint)])
    scorer = ScorerSource.of(asked).open("cpu")
    table = trained.scores
    images = [scorer.prepare(to_unit_range(read_pixels(path))) for path in table.image_path]
    found = list(scorer.stream(Lookahead(images, ahead=3)))
    order = np.argsort([position for part in found for position in part.index])
    for name in found[0].parts:
        values = np.concatenate([part.parts[name] for part in found])[order]
        np.testing.assert_allclose(values, table[name], rtol=1e-3)
    rejected = np.concatenate([cast(np.ndarray, part.rejected) for part in found])[order]
    assert rejected.tolist() == table.rejected.astype(bool).tolist()
    maps = np.concatenate([cast(np.ndarray, part.maps) for part in found])
    assert maps.shape == (11, 32, 32)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_score_that_is_not_learnt_yet_is_known_before_an_image_is_scored(name: str) -> None:
    model: Any = get_model(name, **TINY[name])
    children = model.model.named_children()
    learnt = {score: module for score, module in children if isinstance(module, LearntFromGood)}
    assert bool(learnt) == (name != "SupervisedCNN")  # a classifier learns from labels
    for score, module in learnt.items():
        model.model.image_score = score
        with pytest.raises(UnfittedError, match=f"image_score {score} measures"):
            model.check_fitted()
        module.fitted = True
        model.check_fitted()


def test_an_image_alone_and_in_a_batch(trained: SimpleNamespace) -> None:
    torch.manual_seed(0)
    images = torch.rand(5, 3, 32, 32)
    model = trained.model.eval()
    with torch.inference_mode():
        together = model(images).pred_score
        alone = torch.cat([model(image[None]).pred_score for image in images])
    torch.testing.assert_close(alone, together, rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_argument_is_documented(name: str) -> None:
    model = type(get_model(name, **TINY[name]))
    documented = inspect.getdoc(model) or ""
    for argument in inspect.signature(model).parameters:
        assert f"    {argument}: " in documented, argument


def test_onnx_runtime_gives_what_the_checkpoint_gives(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    path = exported(trained, "onnx", tmp_path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    model = in_float32(trained)
    for size in ((1, 3, 32, 32), (5, 3, 32, 32), (2, 3, 90, 121)):
        images = torch.rand(size, generator=torch.Generator().manual_seed(0))
        expected = model(images)
        found = dict(zip(names, session.run(None, {"input": images.numpy()}), strict=True))
        for name in ("pred_score", "anomaly_map"):
            wanted = getattr(expected, name).numpy()
            np.testing.assert_allclose(found[name], wanted, rtol=1e-3, atol=1e-4, err_msg=name)
        assert (found["pred_label"] == expected.pred_label.numpy()).all()
        assert found["pred_mask"].shape == found["anomaly_map"].shape == (size[0], 32, 32)


@pytest.mark.slow  # test_export.py has one model in it at once
def test_anomalibs_openvino_inferencer_gives_what_the_checkpoint_gives(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it makes a folder where it stands
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    path = exported(trained, "openvino", tmp_path)
    inferencer = OpenVINOInferencer(path, device="CPU", config=config)
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found: Any = inferencer.predict(images)
    expected = in_float32(trained)(images)
    np.testing.assert_allclose(found.pred_score, expected.pred_score, rtol=1e-3)
    np.testing.assert_allclose(found.anomaly_map, expected.anomaly_map, rtol=1e-3, atol=1e-4)


def test_anomalibs_torch_inferencer_gives_what_the_checkpoint_gives(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUST_REMOTE_CODE", "1")
    path = exported(trained, "torch", tmp_path)
    good = sorted((trained.data / "test" / "good").iterdir())[0]
    found: Any = TorchInferencer(path, device="cpu").predict(good)
    (expected,) = trained.scores.score[trained.scores.image_path.map(Path) == good]
    assert found.pred_score.item() == pytest.approx(expected, rel=1e-4)


def exported(trained: SimpleNamespace, kind: str, folder: Path) -> Path:
    """What ``anomalib export`` writes of the checkpoint."""
    asked = ["--model", trained.name, "--export_type", kind, "--ckpt_path", trained.checkpoint]
    anomalib_here("export", *asked, cwd=folder)
    ending = {"torch": "pt", "onnx": "onnx", "openvino": "xml"}[kind]
    return folder / "results" / "weights" / kind / f"model.{ending}"


def in_float32(trained: SimpleNamespace) -> Callable[[torch.Tensor], Any]:
    """The checkpoint's own answers; a search may compute in bfloat16 unless it is told not to."""
    known = inspect.signature(type(trained.model)).parameters
    precision = {"search_precision": "fp32"} if "search_precision" in known else {}
    model = type(trained.model).load_from_checkpoint(trained.checkpoint, **precision).eval()

    def answer(images: torch.Tensor) -> Any:
        with torch.inference_mode():
            return model(images)

    return answer
