# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anomalib.data import get_datamodule
from skimage import io as skimage_io

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.data.image_set import Manifest
from anogan_plugin.data.image_set.rendered import RenderPlan

from .photographs import numbered, photograph, write_masks, write_own_set, write_photographs


def ready(root: Path, **arguments: Any) -> Any:
    datamodule = ICMold(root, **{"train_batch_size": 4, **arguments})
    datamodule.setup()
    return datamodule


def names(data: Any) -> list[str]:
    return [Path(path).name for path in data.samples.image_path]


def test_defaults_are_the_split_of_the_paper() -> None:
    plan = ICMold().render_plan
    assert plan == RenderPlan(3277, 1100, 755, ("short_fill",), seed=0, image_size=64)


def test_missing_root_is_rendered_and_announced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    datamodule = ready(
        tmp_path / "icmold",
        train_good=10,
        test_good=3,
        test_defects=4,
        image_size=32,
        defects=["void", "crack"],
    )
    assert f"{tmp_path / 'icmold'} does not exist: rendering 10 good images" in caplog.text
    assert datamodule.split_report() == (
        "train: 9 good; test: 3 good, 2 crack, 2 void; validation: 1 good"
    )


def test_samples_of_a_rendered_set_have_type_area_and_mask(rendered_set: Path) -> None:
    samples = ready(rendered_set).test_data.samples
    assert samples.attrs["task"] == "segmentation"
    good = samples[samples.defect_type == "good"]
    assert set(good.label) == {"normal"}
    assert set(good.label_index) == {0}
    assert good.defect_area.isna().all()
    assert (good.mask_path == "").all()
    bad = samples[samples.defect_type == "short_fill"]
    assert set(bad.label) == {"abnormal"}
    assert set(bad.label_index) == {1}
    rows = {row["file"]: row for row in Manifest.read(rendered_set).defects}
    assert len(bad) == len(rows) == 6
    for row in bad.itertuples():
        file = Path(row.image_path).relative_to(rendered_set).as_posix()
        assert row.defect_area == rows[file]["area_percent"]
        assert row.mask_path == str(rendered_set / "ground_truth/short_fill" / Path(file).name)


def test_items_are_what_the_files_hold(rendered_set: Path) -> None:
    data = ready(rendered_set).test_data
    for index in (0, len(data) - 1):
        item, row = data[index], data.samples.iloc[index]
        pixels = skimage_io.imread(row.image_path) / 255
        assert item.image.dtype == torch.float32
        np.testing.assert_allclose(item.image.numpy(), np.stack([pixels] * 3), rtol=1e-6)
        assert bool(item.gt_label) == (row.defect_type != "good")
        mask = skimage_io.imread(row.mask_path) > 0 if row.mask_path else np.zeros((32, 32), bool)
        np.testing.assert_array_equal(item.gt_mask.numpy(), mask)


def test_batches_are_those_of_anomalib(rendered_set: Path) -> None:
    batch = next(iter(ready(rendered_set, eval_batch_size=12).test_dataloader()))
    assert batch.image.shape == (12, 3, 32, 32)
    assert batch.gt_mask.shape == (12, 32, 32)
    assert batch.gt_label.sum() == 6


def test_validation_is_held_out_from_training(rendered_set: Path) -> None:
    one, same, other = (ready(rendered_set, held_out_ratio=0.25, seed=s) for s in (0, 0, 1))
    assert (len(one.train_data), len(one.val_data)) == (18, 6)
    assert not set(one.train_data.samples.image_path) & set(one.val_data.samples.image_path)
    assert not one.val_data.has_anomalous
    assert names(one.val_data) == names(same.val_data) != names(other.val_data)


@pytest.mark.parametrize(
    ("mode", "sizes"),
    [
        ("from_test", (24, 6, 6)),
        ("same_as_test", (24, 12, 12)),
        ("synthetic", (12, 12, 12)),
        ("none", (24, None, 12)),
    ],
)
def test_other_ways_to_validate(
    rendered_set: Path, mode: str, sizes: tuple[int, int | None, int]
) -> None:
    datamodule = ready(rendered_set, val_split_mode=mode)
    validation = getattr(datamodule, "val_data", None)
    assert sizes == (
        len(datamodule.train_data),
        None if validation is None else len(validation),
        len(datamodule.test_data),
    )
    assert datamodule.split_report().startswith(f"train: {sizes[0]} good")


def test_can_be_pickled(rendered_set: Path) -> None:
    copy = pickle.loads(pickle.dumps(ready(rendered_set)))
    assert torch.equal(copy.test_data[3].image, ready(rendered_set).test_data[3].image)


def test_loading_processes_read_the_same(rendered_set: Path) -> None:
    here, there = (next(iter(ready(rendered_set, num_workers=n).test_dataloader())) for n in (0, 1))
    assert torch.equal(here.image, there.image)


def test_found_by_name_by_anomalib(rendered_set: Path) -> None:
    config = {"class_path": "ICMold", "init_args": {"root": str(rendered_set)}}
    datamodule = get_datamodule(config)
    assert (datamodule.name, datamodule.category) == ("ICMold", "icmold")


def test_own_images_with_and_without_masks(tmp_path: Path) -> None:
    with_masks = ready(write_own_set(tmp_path / "a"))
    assert with_masks.task == "segmentation"
    assert with_masks.test_data.samples.defect_area.isna().all()
    assert int(with_masks.test_data[0].gt_mask.sum()) == 5 * 6
    without = ready(write_own_set(tmp_path / "b", masks=False))
    assert without.task == "classification"
    assert without.test_data[0].gt_mask is None
    assert without.split_report() == "train: 9 good; test: 4 good, 3 crack; validation: 1 good"


def test_masks_may_be_named_as_in_mvtec(tmp_path: Path) -> None:
    root = write_own_set(tmp_path, masks=False)
    write_masks(root / "ground_truth/crack", [f"shot{i}_mask.tif" for i in range(3)])
    samples = ready(root).test_data.samples
    masked = samples[samples.mask_path != ""]
    assert len(masked) == 3
    for row in masked.itertuples():
        assert Path(row.mask_path).stem == Path(row.image_path).stem + "_mask"


def test_one_defect_without_masks_makes_the_task_classification(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_own_set(tmp_path)
    write_photographs(root / "test/void", ["1.png"], first=20)
    assert ready(root).task == "classification"
    assert "No masks of void" in caplog.text


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [
        (".png", np.uint16, 1),
        (".png", np.uint8, 3),
        (".tif", np.uint16, 3),
        (".bmp", np.uint8, 1),
        (".jpg", np.uint8, 3),
        (".JPEG", np.uint8, 1),
    ],
)
def test_own_images_of_any_kind(tmp_path: Path, suffix: str, dtype: type, channels: int) -> None:
    write_photographs(tmp_path / "train/good", numbered(5, suffix), 0, dtype, channels)
    write_photographs(tmp_path / "test/good", numbered(2, suffix), 5, dtype, channels)
    data = ready(tmp_path).test_data
    expected = photograph(5) / 255
    assert data[0].image.shape == (3, 32, 32)
    tolerance = 0.1 if suffix.lower() in {".jpg", ".jpeg"} else 1e-6
    np.testing.assert_allclose(data[0].image, np.stack([expected] * 3), atol=tolerance)


def test_series_trains_and_holds_out_the_last_photographs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_photographs(tmp_path, numbered(12))
    datamodule = ready(tmp_path, held_out_ratio=0.25)
    assert sorted(names(datamodule.val_data)) == ["shot10.png", "shot11.png", "shot9.png"]
    assert len(next(iter(datamodule.train_dataloader())).image) == 4
    assert "has no test images: add test/good" in caplog.text
    with pytest.raises(ValueError, match=r"no test images.*--data.paint_defects"):
        datamodule.test_dataloader()
    with pytest.raises(ValueError, match="no test images"):
        ready(tmp_path, val_split_mode="same_as_test")


def test_unusual_names(tmp_path: Path) -> None:
    odd = ["a b.png", "モールド.png", "<img onerror=alert(1)>.png", "%s{0}.png", "-x.png"]
    write_photographs(tmp_path / "train/good", numbered(5))
    write_photographs(tmp_path / "test/good", odd, first=5)
    write_photographs(tmp_path / "test/欠け <b>", odd, first=10)
    datamodule = ready(tmp_path)
    assert sorted(names(datamodule.test_data)) == sorted(odd * 2)
    paths = [path for batch in datamodule.test_dataloader() for path in batch.image_path]
    assert sorted(Path(path).name for path in paths) == sorted(odd * 2)


def test_splits_are_reported(rendered_set: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ready(rendered_set)
    assert (
        "ICMold icmold: train: 22 good; test: 6 good, 6 short_fill; validation: 2 good"
        in caplog.text
    )


def test_test_set_without_good_images_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_photographs(tmp_path / "train/good", numbered(6))
    write_photographs(tmp_path / "test/crack", numbered(2), first=6)
    datamodule = ready(tmp_path)
    assert len(datamodule.train_data) == 5  # none of them taken away for the test
    assert "has no good test images: AUROC is undefined" in caplog.text
