# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is noted of a model's scores, maps and pictures."""

import json
import shutil
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
import torch
from anomalib.data import AnomalibDataModule, ImageItem
from anomalib.engine import Engine
from anomalib.pre_processing import PreProcessor
from PIL import Image

from anogan_plugin import ICMold
from anogan_plugin.comparison.building import build_model
from anogan_plugin.comparison.examples import choose_examples, write_examples
from anogan_plugin.comparison.job import Job, ModelPlan
from anogan_plugin.comparison.scoring import Pictures, RawScores, loaders
from anogan_plugin.comparison.timing import time_inference
from tests.comparison.broken import BrokenModel


@pytest.fixture
def data(rendered_set: Path) -> AnomalibDataModule:
    data = ICMold(root=rendered_set, train_batch_size=8, eval_batch_size=5)
    data.setup()
    return data


def scored(model: BrokenModel, data: AnomalibDataModule, folder: Path) -> RawScores:
    raw = RawScores()
    model.post_processor = model.evaluator = model.visualizer = None
    model.pre_processor = model.configure_pre_processor((16, 16))
    engine = Engine(callbacks=[raw], accelerator="cpu", devices=1, default_root_dir=folder)
    engine.test(model, dataloaders=loaders(data), verbose=False)
    return raw


def test_maps_are_compared_at_the_size_of_the_masks(
    data: AnomalibDataModule, tmp_path: Path
) -> None:
    raw = scored(BrokenModel(), data, tmp_path)
    found = raw.maps_and_masks()
    assert found is not None
    maps, masks = found
    assert maps.shape == masks.shape == (12, 32, 32)
    assert (maps.dtype, masks.dtype) == (np.float32, bool)
    test = data.test_data
    items = [cast(ImageItem, test[index]) for index in range(len(test))]
    on_disk = [np.asarray(item.gt_mask, dtype=bool) for item in items]
    assert (masks == np.stack(on_disk)).all()
    table = raw.table(data)
    areas = [mask.mean() for mask in on_disk]
    assert np.allclose(table[table.split == "test"].defect_area, areas)
    assert [image.shape for image in raw.pictures.images] == [(3, 32, 32)] * 12
    assert not raw.pictures.reconstructions


def test_images_are_called_alike_wherever_they_lie(
    rendered_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    for place in ("here", "there"):
        photographs = tmp_path / place / "photographs"
        shutil.copytree(rendered_set / "train" / "good", photographs)
        monkeypatch.chdir(photographs.parent)
        data = ICMold(root="photographs", paint_defects=["short_fill"], train_batch_size=8)
        data.setup()
        called.append(scored(BrokenModel(), data, tmp_path).table(data).image_path)
    assert called[0].equals(called[1])
    assert called[0].str.fullmatch(r"(short_fill/)?\d+\.png").all()
    assert called[0].str.startswith("short_fill/").any()
    assert called[0].is_unique


def test_images_that_chose_the_epoch_are_told_apart(
    data: AnomalibDataModule, tmp_path: Path
) -> None:
    raw = scored(BrokenModel(), data, tmp_path)
    before, after = raw.table(data), raw.table(data, selecting=1)
    assert before.split.tolist()[:2] == ["held_out", "held_out"]
    assert after.split.tolist()[:2] == ["selection", "held_out"]
    assert (before.split[2:] == after.split[2:]).all()


def test_a_model_of_a_fixed_size_is_made_for_the_size_that_is_asked_for(
    data: AnomalibDataModule,
) -> None:
    plan = ModelPlan("g", "anomalib.models.Ganomaly", {}, {"batch_size": 4}, {}, 64)
    model = build_model(Job(plan, "d", "any", {}, 0), data).train()
    images = cast(PreProcessor, model.pre_processor)(torch.rand(4, 3, 32, 32))
    assert images.shape[-1] == 64
    model.model(images)  # its networks have layers for that size alone


def test_lost_scores_are_counted_and_named(data: AnomalibDataModule, tmp_path: Path) -> None:
    raw = scored(BrokenModel("nan"), data, tmp_path)
    with pytest.raises(ValueError, match=r"14 of 14 scores are NaN.*train/good/\d+\.png"):
        raw.table(data)


def test_thresholds_from_test_images_are_refused(rendered_set: Path) -> None:
    data = ICMold(root=rendered_set, val_split_mode="same_as_test")
    data.setup()
    with pytest.raises(ValueError, match=r"6 defects and 12 of its test images.*from_train"):
        loaders(data)


def test_timing_counts_batches(data: AnomalibDataModule) -> None:
    found = time_inference(BrokenModel().eval(), data, "cpu")
    assert set(found) == {"batch_1", "batch_32"}
    for times in found.values():
        assert times["repeats"] >= 3
        assert times["images_per_second"] == pytest.approx(1000 / times["median_ms"], rel=0.1)


def test_examples_are_the_worst_and_typical_ones() -> None:
    scores = [0.1 * i for i in range(20)]
    test = pd.DataFrame({"label": [0] * 10 + [1] * 10, "score": scores})
    reasons = choose_examples(test)
    assert {row for row, why in reasons.items() if why == "worst false alarm"} == {6, 7, 8, 9}
    assert {row for row, why in reasons.items() if why == "worst miss"} == {10, 11, 12, 13}
    assert {row for row, why in reasons.items() if why == "typical"} == {0, 4, 14, 19}


def test_example_files_show_one_scale_of_maps(tmp_path: Path) -> None:
    test = pd.DataFrame(
        {
            "image_path": ["a.png", "<b>.png"],
            "label": [0, 1],
            "defect_type": ["good", "void"],
            "score": [1.0, 2.0],
        }
    )
    rng = np.random.default_rng(0)
    pictures = Pictures(
        images=[rng.integers(0, 255, (3, 8, 8), np.uint8) for _ in range(2)],
        maps=[np.full((8, 8), 1.0, np.float32), np.full((8, 8), 3.0, np.float32)],
        masks=[np.zeros((8, 8), bool), np.ones((8, 8), bool)],
    )
    write_examples(tmp_path / "examples", test, pictures)
    listed = json.loads((tmp_path / "examples" / "examples.json").read_text())
    assert listed["map_range"] == [1.0, 3.0]
    files = [each["files"] for each in listed["examples"]]
    assert [set(each) for each in files] == [{"image", "map", "mask"}] * 2

    def read(name: str) -> torch.Tensor:
        return torch.tensor(np.asarray(Image.open(tmp_path / "examples" / name)))

    assert (read(files[0]["map"]) == 0).all()
    assert (read(files[1]["map"]) == 255).all()
    assert (read(files[1]["mask"]) == 255).all()
    image = torch.tensor(pictures.images[1]).permute(1, 2, 0)
    assert (read(files[1]["image"]) == image).all()
