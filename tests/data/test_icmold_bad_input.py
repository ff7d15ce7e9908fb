# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import io as skimage_io

from anogan_plugin.data.icmold import ICMold

from .photographs import numbered, photograph, write_masks, write_own_set, write_photographs


def setup(root: Path, **arguments: Any) -> ICMold:
    datamodule = ICMold(root, **{"train_batch_size": 4, **arguments})
    datamodule.setup()
    return datamodule


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    return write_own_set(tmp_path / "own")


@pytest.fixture
def copy_of_rendered_set(rendered_set: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rendered_set, tmp_path / "copy"))


def test_missing_folder_to_paint_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"typo does not exist.*correct --data.root"):
        setup(tmp_path / "typo", paint_defects=["crack"])
    assert not (tmp_path / "typo").exists()


def test_file_as_root(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file is a file, expected a folder"):
        setup(tmp_path / "file")


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no images: expected train/good.*found nothing"):
        setup(tmp_path)


def test_folder_of_folders_says_what_it_found(tmp_path: Path) -> None:
    for part in ("74LS00", "74LS01"):
        write_photographs(tmp_path / part, numbered(2))
    with pytest.raises(ValueError, match=r"found 74LS00, 74LS01. Correct --data.root"):
        setup(tmp_path)


def test_missing_train_good(own_set: Path) -> None:
    (own_set / "train/good").rename(own_set / "train/ok")
    with pytest.raises(ValueError, match=r"train/good does not exist: expected"):
        setup(own_set)


@pytest.mark.parametrize("folder", ["train/good", "test/crack"])
def test_empty_class_folder(own_set: Path, folder: str) -> None:
    shutil.rmtree(own_set / folder)
    (own_set / folder).mkdir()
    with pytest.raises(ValueError, match=f"{folder} has no images in it: .*Add images"):
        setup(own_set)


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_unreadable_or_truncated_image(
    own_set: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = own_set / "train/good/shot3.png"
    path.write_bytes(path.read_bytes()[:-60] if content is None else content)
    with pytest.raises(
        ValueError, match=r"shot3.png (cannot be read|is not a BMP).*1 of 17 images.*skip"
    ):
        setup(own_set)
    datamodule = setup(own_set, on_unreadable="skip")
    assert f"Left out 1 unreadable images:\n{path}" in caplog.text
    assert len(datamodule.train_data) + len(datamodule.val_data) == 9
    assert datamodule.task == "segmentation"


def test_unreadable_mask_is_refused_even_when_skipping(own_set: Path) -> None:
    (own_set / "ground_truth/crack/shot1.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"crack/shot1.png is not a BMP or JPEG or PNG or TIFF"):
        setup(own_set, on_unreadable="skip")


def test_mask_of_another_size(own_set: Path) -> None:
    write_masks(own_set / "ground_truth/crack", ["shot2.png"], size=(16, 20))
    with pytest.raises(
        ValueError,
        match=r"ground_truth/crack/shot2.png is 20x16 pixels.*test/crack/shot2.png is 32x32",
    ):
        setup(own_set)


def test_mask_of_no_image(own_set: Path) -> None:
    write_masks(own_set / "ground_truth/crack", ["shot7.png"])
    with pytest.raises(ValueError, match=r"crack/shot7.png is the mask of no image: add"):
        setup(own_set)


def test_masks_of_no_folder(own_set: Path) -> None:
    write_masks(own_set / "ground_truth/craack", ["shot0.png"])
    with pytest.raises(ValueError, match=r"craack holds masks, but .*test/craack does not exist"):
        setup(own_set)


def test_two_masks_of_one_image(own_set: Path) -> None:
    write_masks(own_set / "ground_truth/crack", ["shot1_mask.png"])
    with pytest.raises(ValueError, match="are masks of one image: remove one"):
        setup(own_set)


def test_image_without_mask_among_others(own_set: Path) -> None:
    (own_set / "ground_truth/crack/shot1.png").unlink()
    with pytest.raises(ValueError, match=r"crack/shot1.png has no mask in .*1 such"):
        setup(own_set)


def test_same_picture_in_train_and_test_whatever_the_format(own_set: Path) -> None:
    colour = np.dstack([photograph(4)] * 3)
    skimage_io.imsave(own_set / "test/good/another.bmp", colour, check_contrast=False)
    with pytest.raises(
        ValueError, match=r"another.bmp is the same picture as .*train/good/shot4.png.*1 such test"
    ):
        setup(own_set)


def test_same_picture_in_both_parts_of_a_series(tmp_path: Path) -> None:
    write_photographs(tmp_path / "own", numbered(10))
    shutil.copy(tmp_path / "own/shot2.png", tmp_path / "own/shot9.png")
    with pytest.raises(ValueError, match=r"shot9.png is the same picture as .*shot2.png"):
        setup(tmp_path / "own", paint_defects=["crack"])
    setup(tmp_path / "own")  # without a test set, nothing leaks into it


def test_fewer_images_than_a_batch(own_set: Path) -> None:
    with pytest.raises(
        ValueError, match=r"own has 9 images to train on.*a batch of 64.*train_batch_size 9 or less"
    ):
        setup(own_set, train_batch_size=64).train_dataloader()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"held_out_ratio": 0.0}, "held_out_ratio is 0.0, expected a number between 0 and 1"),
        ({"val_split_mode": "from_dir"}, "val_split_mode is from_dir, which ICMold does not have"),
        ({"defects": ["hole"]}, "defects is .'hole'., expected different kinds out of"),
        ({"paint_defects": ["hole"]}, "paint_defects is .'hole'., expected"),
        ({"image_size": 4}, "size"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ICMold(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train_good": 25}, "rendered with train_good=24, but 25 was asked for: delete"),
        ({"test_defects": 5}, "rendered with test_defects=6, but 5"),
        ({"defects": ["void"]}, r"defects=\['short_fill'\], but \['void'\]"),
        ({"render_seed": 3}, "render_seed=0, but 3"),
        ({"image_size": 64}, "image_size=32, but 64"),
    ],
)
def test_rendered_set_is_not_what_was_asked_for(
    rendered_set: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        setup(rendered_set, **arguments)


def test_rendered_set_is_what_was_asked_for(rendered_set: Path) -> None:
    setup(rendered_set, train_good=24, defects=["short_fill"], render_seed=0, image_size=32)


def test_render_arguments_for_own_images(own_set: Path) -> None:
    with pytest.raises(ValueError, match=r"own holds your own images .*render_seed, train_good"):
        setup(own_set, train_good=10, render_seed=1)


def test_changed_rendered_set(copy_of_rendered_set: Path) -> None:
    (copy_of_rendered_set / "test/good/00002.png").unlink()
    with pytest.raises(ValueError, match=r"dataset.json: 1 missing .test/good/00002.png"):
        setup(copy_of_rendered_set)


def test_damaged_dataset_json(copy_of_rendered_set: Path) -> None:
    path = copy_of_rendered_set / "dataset.json"
    path.write_text(path.read_text()[:300])
    with pytest.raises(ValueError, match=r"dataset.json is damaged .*: delete"):
        setup(copy_of_rendered_set)


def test_set_of_another_renderer_is_used_and_reported(
    copy_of_rendered_set: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = copy_of_rendered_set / "dataset.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "generator_version": "0"}))
    setup(copy_of_rendered_set)
    assert "was rendered by version 0 of the renderer" in caplog.text
