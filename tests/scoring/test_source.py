# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a checkpoint and a command line say of the model, and files that are no checkpoints."""

import copy
import json
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from anomalib.models import get_model
from anomalib.post_processing import PostProcessor
from jsonargparse import ArgumentParser

from anogan_plugin import AnoGAN, FAnoGAN
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.scoring.scorer import Scorer
from anogan_plugin.scoring.source import ScorerSource
from tests.archive.small import save_checkpoint

SMALL: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8, "search_precision": "fp32"}


PLAIN = "anomalib.post_processing.PostProcessor"
HELD_OUT = "anogan_plugin.models.components.post_processing.HeldOutGoodPostProcessor"


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def source(*options: str | Path) -> ScorerSource:
    """What a command line says."""
    parser = ArgumentParser()
    ScorerSource.add_arguments(parser)
    return ScorerSource.of(parser.parse_args(["--ckpt_path", *map(str, options)]))


def scores(scorer: Scorer, image: np.ndarray) -> dict[str, float]:
    """Score and parts of one image."""
    (scored,) = scorer.stream([scorer.prepare(image)])
    return {name: float(values[0]) for name, values in scored.parts.items()}


def edited(checkpoint: Path, **values: Any) -> Path:
    """A checkpoint in which some keys have other values."""
    found = torch.load(checkpoint, weights_only=True)
    torch.save({**found, **values}, path := checkpoint.with_name("edited.ckpt"))
    return path


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).random((3, 32, 32), np.float32)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return AnoGAN(**SMALL, search_steps=3).eval()


@pytest.fixture
def checkpoint(model: Any, tmp_path: Path) -> Path:
    return save_checkpoint(model, tmp_path / "model.ckpt")


def test_a_checkpoint_is_enough(model: Any, checkpoint: Path, image: np.ndarray) -> None:
    found = source(checkpoint)
    assert found.name == "AnoGAN"
    prepared = model.pre_processor.transform(torch.from_numpy(image))
    expected = model.model.score(prepared[None]).pred_score
    said = scores(found.open("cpu"), image)
    assert said["score"] == pytest.approx(float(expected), rel=1e-5)
    assert said["steps"] == 3


def test_arguments_change_what_the_checkpoint_says(checkpoint: Path, image: np.ndarray) -> None:
    fewer = source(checkpoint, "--arguments.search_steps", "2", "--arguments.image_score", "local")
    with pytest.warns(UserWarning, match="no image will be accepted or rejected"):
        said = scores(fewer.open("cpu"), image)
    assert said["steps"] == 2
    assert said["score"] == said["local"]
    assert fewer.settings() != source(checkpoint).settings()


def test_another_overkill_is_another_threshold_of_the_same_good_scores(
    model: Any, tmp_path: Path
) -> None:
    checkpoint = save_checkpoint(calibrated(copy.deepcopy(model)), tmp_path / "model.ckpt")
    with pytest.warns(UserWarning, match=r"overkill of 0\.2 by the 199 scores .* no mask"):
        judged: Any = source(checkpoint, "--arguments.overkill", "0.2").open("cpu")
    judge = judged._model.post_processor
    assert float(judge.image_threshold) == 160  # ⌈200 · 0.8⌉-th smallest
    assert judge.overkill == 0.2
    assert torch.isnan(judge.pixel_threshold)
    torch.testing.assert_close(judge.good_scores, torch.arange(1.0, 200))
    as_trained: Any = source(checkpoint).open("cpu")
    assert float(as_trained._model.post_processor.image_threshold) == 198


def calibrated(model: Any) -> Any:
    """A model with thresholds from 199 good images."""
    model.post_processor.calibrate(torch.arange(1.0, 200), torch.rand(199, 4, 4))
    return model.eval()


@pytest.mark.parametrize(("cls", "nested"), [(AnoGAN, False), (FAnoGAN, True)])
def test_thresholds_from_before_there_were_several_guesses_are_kept(
    cls: Any, nested: bool, tmp_path: Path
) -> None:
    checkpoint = save_checkpoint(calibrated(cls(**SMALL)), tmp_path / "model.ckpt")
    arguments = torch.load(checkpoint, weights_only=True)["score_arguments"]
    del (arguments["search"] if nested else arguments)["guesses"]
    judged: Any = source(edited(checkpoint, score_arguments=arguments)).open("cpu")
    assert judged.judges


def test_another_score_and_another_overkill_leave_no_threshold_and_the_new_overkill(
    tmp_path: Path,
) -> None:
    checkpoint = save_checkpoint(calibrated(AnoGAN(**SMALL)), tmp_path / "model.ckpt")
    with pytest.warns(UserWarning, match="no image will be accepted or rejected"):
        judged: Any = AnoGAN.load_from_checkpoint(checkpoint, image_score="local", overkill=0.2)
    assert not judged.post_processor.calibrated
    assert judged.post_processor.overkill == 0.2


def test_another_post_processor_is_named_by_its_class(tmp_path: Path) -> None:
    made: Any = AnoGAN(**SMALL, post_processor=PostProcessor())
    made.post_processor._image_threshold.fill_(3)
    checkpoint = save_checkpoint(made.eval(), tmp_path / "model.ckpt")
    with pytest.raises(ValueError, match=r"post_processor\.class_path"):
        source(checkpoint).open("cpu")
    named = source(checkpoint, "--arguments.post_processor.class_path", PLAIN)
    judge = cast(Any, named.open("cpu"))._model.post_processor
    assert type(judge) is PostProcessor
    assert float(judge.image_threshold) == 3
    assert named.settings()["--arguments"]["post_processor"]["class_path"] == PLAIN


def test_a_post_processor_that_was_handed_in_keeps_its_overkill_unless_another_is_asked_for(
    tmp_path: Path,
) -> None:
    made = AnoGAN(**SMALL, post_processor=HeldOutGoodPostProcessor(0.05))
    made.post_processor.calibrate(torch.arange(1.0, 100), torch.rand(99, 4, 4))
    checkpoint = save_checkpoint(made.eval(), tmp_path / "model.ckpt")
    assert threshold(checkpoint) == 95
    assert threshold(checkpoint, "--arguments.overkill", "0.05") == 95
    # Of the model's default, too: it was not what the threshold in the checkpoint is for.
    with pytest.warns(UserWarning, match=r"overkill of 0\.01 by the 99 scores"):
        assert threshold(checkpoint, "--arguments.overkill", "0.01") == 99
    named = {"class_path": HELD_OUT, "init_args": {"overkill": 0.2}}
    with pytest.warns(UserWarning, match=r"overkill of 0\.2 by the 99 scores"):
        assert threshold(checkpoint, "--arguments", json.dumps({"post_processor": named})) == 80


def test_another_overkill_is_saved_with_its_threshold(checkpoint: Path, model: Any) -> None:
    save_checkpoint(calibrated(copy.deepcopy(model)), checkpoint)
    with pytest.warns(UserWarning, match=r"overkill of 0\.2"):
        again = AnoGAN.load_from_checkpoint(checkpoint, overkill=0.2)
    save_checkpoint(again.eval(), checkpoint)
    assert threshold(checkpoint) == 160
    with pytest.warns(UserWarning, match=r"overkill of 0\.01"):
        assert threshold(checkpoint, "--arguments.overkill", "0.01") == 198


def threshold(checkpoint: Path, *asked: str) -> float:
    """The image threshold of a checkpoint with other arguments."""
    judged: Any = source(checkpoint, *asked).open("cpu")
    return float(judged._model.post_processor.image_threshold)


@pytest.mark.parametrize(
    ("wrong", "value", "said"),
    [
        ("search_step", "2", "--arguments.search_step is an unknown argument.*'search_steps'"),
        ("search_steps", "many", "--arguments.search_steps does not fit AnoGAN.*many"),
        ("search_steps", "-1", "can't be built with .* and --arguments.*at least 0.*-1"),
        (
            "post_processor",
            "false",
            "--arguments.post_processor is False, expected",
        ),
        ("post_processor.init_args.overkill", "0.2", "post_processor is .*goes as JSON"),
        ("width", "8", "can't be loaded into AnoGAN.* no --arguments that change its networks"),
    ],
)
def test_arguments_that_can_not_be_are_named(
    checkpoint: Path, wrong: str, value: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        source(checkpoint, f"--arguments.{wrong}", value).open("cpu")


def test_score_that_is_not_learnt_is_refused_before_an_image_is_scored(checkpoint: Path) -> None:
    asked = ("--arguments.search", "fast", "--arguments.image_score", "distance")
    dropped = pytest.warns(UserWarning, match="no image will be accepted or rejected")
    with dropped, pytest.raises(ValueError, match="good ones, which this model"):
        source(checkpoint, *asked).open("cpu")


def test_a_model_that_the_checkpoint_is_not_of_is_refused(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"is of AnoGAN, not of Padim: drop --model"):
        source(checkpoint, "--model", "Padim")


def test_a_name_as_typed_and_the_checkpoints_own_are_one_model(checkpoint: Path) -> None:
    assert source(checkpoint, "--model", "anogan").settings() == source(checkpoint).settings()


def test_threshold_of_anomalibs_own_model_stays_with_a_warning(tmp_path: Path) -> None:
    model: Any = get_model("Dfm", backbone="resnet18", layer="layer1", pre_trained=False)
    model.post_processor._image_threshold.fill_(1.0)
    checkpoint = save_checkpoint(model, tmp_path / "model.ckpt")
    with pytest.warns(UserWarning, match="for the arguments of its training, not for .*pca_level"):
        source(checkpoint, "--model", "Dfm", "--arguments.pca_level", "0.9").open("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source(checkpoint, "--model", "Dfm", "--arguments.pca_level", "0.97").open("cpu")


def test_model_of_anomalibs_own_is_named_and_its_arguments_are_read(
    tmp_path: Path,
) -> None:
    model = get_model("Dfm", backbone="resnet18", layer="layer1", pre_trained=False)
    checkpoint = save_checkpoint(model, tmp_path / "model.ckpt")
    with pytest.raises(ValueError, match="does not say of which model it is"):
        source(checkpoint)
    source(checkpoint, "--model", "Dfm").open("cpu")
    with pytest.raises(ValueError, match="can't be loaded into AnoGAN"):
        source(checkpoint, "--model", "AnoGAN").open("cpu")
    for name in ("..AnoGAN", ".AnoGAN", "no.such.AnoGAN"):
        with pytest.raises(ValueError, match="can't be imported"):
            source(checkpoint, "--model", name)


def test_class_that_is_not_imported_is_not_imported(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"'NoModel'.* Valid: .*AnoGAN"):
        source(edited(checkpoint, class_name="NoModel"))
    for name in ("tests.comparison.broken.BrokenModel", None):
        with pytest.raises(ValueError, match="does not say of which model it is"):
            source(edited(checkpoint, class_name=name))


def test_checkpoint_with_code_in_it_is_refused_and_not_run(
    checkpoint: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    for more in ((), ("--model", "AnoGAN")):
        with pytest.raises(ValueError, match="more than weights and plain values"):
            source(edited(checkpoint, code=Runs(ran)), *more).open("cpu")
    assert not ran.exists()


def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, other := tmp_path / "other.pt")
    (text := tmp_path / "model.xml").write_text("<net/>")
    (empty := tmp_path / "empty.ckpt").touch()
    torch.save({"hyper_parameters": [1], "state_dict": {}}, odd := tmp_path / "odd.ckpt")
    for file in (other, text, empty, odd, tmp_path / "no.ckpt"):
        with pytest.raises(ValueError, match=f"expected a checkpoint .* found .*{file.name}"):
            source(file)
