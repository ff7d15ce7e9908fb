# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Defects that are set aside with their labels: never tested on, the same for every model."""

from pathlib import Path
from typing import Any, cast

import pytest
from torchvision.transforms.v2 import CenterCrop
from torchvision.tv_tensors import Image

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.data.one_class_digits import OneClassDigits

from .photographs import numbered, write_own_set, write_photographs


def ready(root: Path, **arguments: Any) -> ICMold:
    datamodule = ICMold(root, train_batch_size=4, **arguments)
    datamodule.setup()
    return datamodule


def paths(data: Any) -> set[str]:
    return set(data.samples.image_path)


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """4 good test images, 3 cracked and 6 with a void."""
    root = write_own_set(tmp_path / "own", masks=False)
    write_photographs(root / "test/void", numbered(6), first=20)
    return root


def test_none_is_set_aside_unless_asked_for(two_kinds: Path) -> None:
    datamodule = ready(two_kinds)
    assert len(datamodule.labelled_data) == 0
    assert len(datamodule.test_data) == 13
    assert "set aside" not in datamodule.split_report()


def test_as_many_of_each_type_are_set_aside(two_kinds: Path) -> None:
    datamodule = ready(two_kinds, labelled_defects=2)
    assert datamodule.split_report() == (
        "train: 9 good; test: 4 good, 4 void, 1 crack; validation: 1 good; "
        "set aside: 2 crack, 2 void"
    )
    assert not paths(datamodule.labelled_data) & paths(datamodule.test_data)
    everything = paths(datamodule.labelled_data) | paths(datamodule.test_data)
    assert everything == paths(ready(two_kinds).test_data)
    assert datamodule.labelled_data.task == "classification"
    assert bool(datamodule.labelled_data[0].gt_label)


@pytest.mark.parametrize("seed", range(5))
def test_fewer_are_among_more(rendered_set: Path, seed: int) -> None:
    chosen = [
        paths(ready(rendered_set, labelled_defects=count, seed=seed).labelled_data)
        for count in (1, 2, 5)
    ]
    assert [len(names) for names in chosen] == [1, 2, 5]
    assert chosen[0] < chosen[1] < chosen[2]


def test_the_seed_chooses(rendered_set: Path) -> None:
    one, again = (ready(rendered_set, labelled_defects=2, seed=4) for _ in range(2))
    assert one.labelled_data.samples.equals(again.labelled_data.samples)
    others = [ready(rendered_set, labelled_defects=2, seed=seed).labelled_data for seed in range(5)]
    assert len({frozenset(paths(data)) for data in others}) > 1


def test_one_type_does_not_change_what_is_chosen_of_another(two_kinds: Path) -> None:
    before = paths(ready(two_kinds, labelled_defects=2).labelled_data)
    write_photographs(two_kinds / "test/another", numbered(4), first=40)
    assert before < paths(ready(two_kinds, labelled_defects=2).labelled_data)


@pytest.mark.parametrize("mode", ["from_train", "from_test", "same_as_test", "synthetic", "none"])
def test_they_are_in_no_other_split(rendered_set: Path, mode: str) -> None:
    datamodule = ready(rendered_set, labelled_defects=3, val_split_mode=mode)
    assert len(datamodule.labelled_data) == 3
    loaders = [datamodule.train_dataloader(), datamodule.test_dataloader()]
    loaders += [] if mode == "none" else [datamodule.val_dataloader()]
    seen = {path for loader in loaders for batch in loader for path in batch.image_path}
    assert not seen & paths(datamodule.labelled_data)


def test_the_subset_of_the_test_images_leaves_them_out(rendered_set: Path) -> None:
    datamodule = ready(rendered_set, labelled_defects=4)
    subset = datamodule.test_subset(10**6)
    assert subset.samples.label_index.tolist() == [0] * 6 + [1] * 2
    assert not paths(subset) & paths(datamodule.labelled_data)


def test_setting_up_again_chooses_the_same(rendered_set: Path) -> None:
    datamodule = ready(rendered_set, labelled_defects=2)
    before = datamodule.test_data.samples
    datamodule.setup("test")
    assert datamodule.test_data.samples.equals(before)


def test_painted_defects_are_set_aside_too(tmp_path: Path) -> None:
    write_photographs(tmp_path / "own", numbered(20))
    datamodule = ready(
        tmp_path / "own", paint_defects=["short_fill", "void"], paint_count=6, labelled_defects=2
    )
    assert datamodule.labelled_data.samples.defect_type.value_counts().to_dict() == {
        "short_fill": 2,
        "void": 2,
    }
    assert datamodule.test_data.samples.label_index.sum() == 2
    assert not paths(datamodule.labelled_data) & paths(datamodule.test_data)


@pytest.mark.usefixtures("dataset_cache")
def test_digits_are_set_aside_by_digit(tiny_digits: Path) -> None:
    datamodule = OneClassDigits(tiny_digits, normal_digits=[1, 7], labelled_defects=2)
    datamodule.setup()
    chosen = datamodule.labelled_data.samples
    assert sorted(chosen.digit) == [d for d in range(10) if d not in {1, 7} for _ in range(2)]
    assert len(datamodule.test_data) == 100 - 16
    assert not paths(datamodule.labelled_data) & paths(datamodule.test_data)


@pytest.mark.parametrize("count", [3, 4])
def test_a_type_must_keep_a_test_image(two_kinds: Path, count: int) -> None:
    message = rf"labelled_defects is {count}, .* 3 test images of crack.*labelled_defects 2 or less"
    with pytest.raises(ValueError, match=message):
        ready(two_kinds, labelled_defects=count)


def test_a_negative_number_is_refused(rendered_set: Path) -> None:
    with pytest.raises(ValueError, match="labelled_defects is -1, expected 0 or more"):
        ICMold(rendered_set, labelled_defects=-1)


def test_without_defects_there_is_nothing_to_set_aside(tmp_path: Path) -> None:
    write_photographs(tmp_path, numbered(8))
    with pytest.raises(ValueError, match="no defective test images to set aside: add some, or"):
        ready(tmp_path, labelled_defects=1)


def test_they_are_augmented_as_the_training_images_are(rendered_set: Path) -> None:
    datamodule = ready(rendered_set, labelled_defects=1, train_augmentations=CenterCrop(16))
    sizes = [
        cast(Image, data[0].image).shape
        for data in (datamodule.labelled_data, datamodule.train_data)
    ]
    assert sizes == [(3, 16, 16)] * 2
