# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import io as skimage_io

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.data.image_set import Manifest
from tests.shared_data import shared_data

from .photographs import numbered, photograph, write_own_set, write_photographs


def painted(root: Path, **arguments: Any) -> Any:
    defaults = {"train_batch_size": 4, "paint_defects": ["short_fill"]}
    datamodule = ICMold(root, **{**defaults, **arguments})
    datamodule.setup()
    return datamodule


def painted_folders(root: Path) -> list[Path]:
    return sorted(root.parent.glob(f"{root.name}_painted_*"))


def test_series_is_split_by_index(tmp_path: Path) -> None:
    root = tmp_path / "line 3"
    write_photographs(root, numbered(20))
    data = painted(root, paint_defects=["crack", "void"], paint_count=5)
    assert data.split_report() == (
        "train: 13 good; test: 6 good, 3 crack, 2 void; validation: 1 good"
    )
    samples = data.test_data.samples
    good = {Path(p).name for p in samples.image_path[samples.defect_type == "good"]}
    assert good == {f"shot{i}.png" for i in range(14, 20)}
    assert [Path(p).name for p in data.val_data.samples.image_path] == ["shot13.png"]
    assert data.task == "segmentation"
    assert (samples.defect_area[samples.defect_type != "good"] > 0).all()


def test_painted_images_differ_from_their_photographs_at_the_mask(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10))
    painted(root)
    (folder,) = painted_folders(root)
    manifest = Manifest.read(folder)
    assert manifest.counts == {"test/short_fill": 3}
    for row in manifest.defects:
        name = Path(row["file"]).name
        before = skimage_io.imread(root / row["photograph"]).astype(int)
        after = skimage_io.imread(folder / row["file"]).astype(int)
        mask = skimage_io.imread(folder / "ground_truth/short_fill" / name) > 0
        changed = before != after
        assert changed[mask].any()
        assert np.abs(after - before)[mask].mean() > np.abs(after - before)[~mask].mean()


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [(".tif", np.uint16, 1), (".png", np.uint8, 3), (".jpg", np.uint8, 1)],
)
def test_depth_and_channels_of_the_photograph_are_kept(
    tmp_path: Path, suffix: str, dtype: type, channels: int
) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10, suffix), 0, dtype, channels)
    data = painted(root, paint_defects=["scratch"]).test_data
    (folder,) = painted_folders(root)
    image = skimage_io.imread(folder / "test/scratch/00000.png")
    assert image.dtype == dtype
    assert image.shape == photograph(0, dtype, channels).shape
    assert max(float(item.image.max()) for item in (data[i] for i in range(len(data)))) <= 1


def test_same_photographs_are_painted_once_and_alike(tmp_path: Path) -> None:
    root, twin = tmp_path / "a/own", tmp_path / "b/own"
    for folder in (root, twin):
        write_photographs(folder, numbered(10))
        painted(folder)
    painted(root)
    (one,), (other,) = painted_folders(root), painted_folders(twin)
    assert one.name == other.name
    assert Manifest.read(one) == Manifest.read(other)


def test_other_photographs_seeds_and_kinds_are_painted_anew(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10))
    painted(root)
    painted(root, render_seed=1)
    painted(root, paint_defects=["crack"])
    skimage_io.imsave(root / "shot9.png", photograph(50), check_contrast=False)
    painted(root)
    assert len(painted_folders(root)) == 4


def test_painted_defects_join_those_of_the_folder(tmp_path: Path) -> None:
    root = write_own_set(tmp_path / "own")
    assert painted(root).split_report() == (
        "train: 9 good; test: 4 good, 4 short_fill, 3 crack; validation: 1 good"
    )


def test_each_kind_uses_every_photograph_before_any_twice(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10))
    painted(root, paint_defects=["crack", "void"], paint_count=8)
    (folder,) = painted_folders(root)
    for kind in ("crack", "void"):
        used = [r["photograph"] for r in Manifest.read(folder).defects if r["defect"] == kind]
        assert len(used) == 4
        assert set(used[:3]) == {"shot7.png", "shot8.png", "shot9.png"}


def test_body_masks_confine_the_defects(tmp_path: Path) -> None:
    root, masks = tmp_path / "own", tmp_path / "masks"
    write_photographs(root, numbered(10))
    masks.mkdir()
    body = np.zeros((32, 32), np.uint8)
    body[6:26, 4:16] = 255
    for name in numbered(10):
        skimage_io.imsave(masks / name, body, check_contrast=False)
    painted(root, paint_defects=["void"], body_mask=masks)
    (folder,) = painted_folders(root)
    for path in (folder / "ground_truth/void").iterdir():
        assert not (skimage_io.imread(path) > 0)[body == 0].any()


def test_body_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    root, masks = tmp_path / "own", tmp_path / "masks"
    write_photographs(root, numbered(10))
    masks.mkdir()
    for name in numbered(10):
        skimage_io.imsave(masks / name, np.full((9, 8), 255, np.uint8), check_contrast=False)
    with pytest.raises(ValueError, match=r"masks/shot\d.png is 8x9 pixels, but .* is 32x32"):
        painted(root, body_mask=masks)


def test_missing_folder_of_body_masks_is_refused(tmp_path: Path) -> None:
    write_photographs(tmp_path / "own", numbered(10))
    with pytest.raises(FileNotFoundError, match="typo does not exist, expected a folder of masks"):
        painted(tmp_path / "own", body_mask=tmp_path / "typo")


def test_photograph_without_body_is_named(tmp_path: Path) -> None:
    root = tmp_path / "own"
    root.mkdir()
    for number, name in enumerate(numbered(10)):
        blank = np.full((32, 32), 120 + number, np.uint8)
        skimage_io.imsave(root / name, blank, check_contrast=False)
    with pytest.raises(ValueError, match=r"cannot be painted on .*shot\d.png .*body_mask"):
        painted(root)
    assert painted_folders(root) == []


@pytest.mark.parametrize(("photographs", "count"), [(1, None), (10, 0)])
def test_nothing_to_paint(tmp_path: Path, photographs: int, count: int | None) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(photographs))
    with pytest.raises(ValueError, match="expected at least one of each"):
        painted(root, paint_count=count, train_batch_size=1)


def test_painted_set_is_no_root(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10))
    painted(root)
    (folder,) = painted_folders(root)
    with pytest.raises(ValueError, match="is a painted set, expected a rendered one or your own"):
        ICMold(folder).setup()


def test_changed_painted_set_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_photographs(root, numbered(10))
    painted(root)
    (folder,) = painted_folders(root)
    (folder / "test/short_fill/00001.png").unlink()
    with pytest.raises(ValueError, match=r"1 missing .test/short_fill/00001.png"):
        painted(root)


def test_read_only_place_is_left_alone(tmp_path: Path, dataset_cache: Path) -> None:
    root = tmp_path / "archive" / "own"
    write_photographs(root, numbered(10))
    root.parent.chmod(0o555)
    data = painted(root)
    root.parent.chmod(0o755)
    assert painted_folders(root) == []
    defects = data.test_data.samples[data.test_data.samples.defect_type != "good"]
    assert all(Path(path).is_relative_to(dataset_cache) for path in defects.image_path)


def test_real_photographs(tmp_path: Path) -> None:
    root = tmp_path / "74LS00"
    root.symlink_to(shared_data("chip74ls", "74LS00"))
    data = painted(root, paint_count=8, train_batch_size=16)
    photographs = len(list(root.glob("*.png")))
    assert len(data.train_data) + len(data.val_data) == round(0.7 * photographs)
    assert data.test_data[0].image.shape == (3, 72, 192)
    assert painted_folders(root)  # beside the link, not beside what it points to
