# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What the data modules that train on good images alone have in common."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from anomalib.data import AnomalibDataModule
from anomalib.data.utils import Split, TestSplitMode, ValSplitMode
from lightning.pytorch.utilities.types import EVAL_DATALOADERS, TRAIN_DATALOADERS
from pandas import DataFrame

from .image_dataset import GOOD, ImageFileDataset

logger = logging.getLogger(__name__)


class OneClassDataModule(AnomalibDataModule):
    """Trains on good images, and validates on some that are held out from training.

    Some defects can be set aside with their labels, for a model that learns from labels. They are
    in no other split, whatever the model: with the same arguments all are tested on the same
    images.

    Args:
        held_out_ratio: Share of the training images that is held out, in (0, 1).
        labelled_defects: Number of test images of each type of defect that is set aside. Those for
            a smaller number are among those for a larger one, with the same ``seed``.
        arguments: Those of anomalib's base class.

    Attributes:
        labelled_data: The defects that are set aside; there from ``setup`` on, as other splits are.

    Raises:
        ValueError: If an argument is out of range.
    """

    labelled_data: ImageFileDataset

    def __init__(self, *, held_out_ratio: float, labelled_defects: int, **arguments: Any) -> None:
        super().__init__(test_split_mode=TestSplitMode.FROM_DIR, **arguments)
        if not 0 < held_out_ratio < 1:
            raise ValueError(
                f"held_out_ratio is {held_out_ratio}, expected a number between 0 and 1."
            )
        if self.val_split_mode == ValSplitMode.FROM_DIR:
            raise ValueError(f"val_split_mode is from_dir, which {self.name} does not have.")
        if labelled_defects < 0:
            raise ValueError(f"labelled_defects is {labelled_defects}, expected 0 or more.")
        self.held_out_ratio = held_out_ratio
        self.labelled_defects = labelled_defects
        self.is_series = False  # neighbouring images are near duplicates

    def _use_samples(self, samples: DataFrame) -> None:
        """Make the datasets out of the samples that `ImageFileDataset` describes."""
        in_train = samples.split == Split.TRAIN.value
        labelled = samples.index.isin(self._set_aside(samples[~in_train]))
        self.train_data = ImageFileDataset(samples[in_train], self.category)
        self.test_data = ImageFileDataset(samples[~in_train & ~labelled], self.category)
        self.labelled_data = ImageFileDataset(samples[labelled], self.category)

    def _set_aside(self, test: DataFrame) -> list[int]:
        """Choose the rows of ``test`` that are set aside: the first of each type, once shuffled."""
        count, defects = self.labelled_defects, test[test.defect_type != GOOD]
        if not count:
            return []
        kinds = defects.defect_type.value_counts()
        if kinds.empty:
            raise ValueError(
                f"{self.name} {self.category} has no defective test images to set aside: add some, "
                "or drop --data.labelled_defects."
            )
        kind, found = kinds.idxmin(), kinds.min()
        if count >= found:
            raise ValueError(
                f"labelled_defects is {count}, but {self.name} {self.category} has {found:,} test "
                f"images of {kind}, of which one at least must remain to test on: add images of "
                f"{kind}, or give --data.labelled_defects {found - 1} or less."
            )
        chosen = []
        for _, rows in defects.sort_values("image_path").groupby("defect_type"):
            # A generator for each type: what one type has does not change another's choice.
            order = np.random.default_rng(self.seed).permutation(len(rows))
            chosen += rows.index[order[:count]].tolist()
        return chosen

    def _update_augmentations(self) -> None:
        super()._update_augmentations()
        # As those of the training images: nothing but the defect must tell the two apart.
        self.labelled_data.augmentations = self.train_data.augmentations

    def _create_test_split(self) -> None:
        """Leave the test images as they are: the samples say which they are."""

    def _create_val_split(self) -> None:
        if self.val_split_mode == ValSplitMode.FROM_TRAIN:
            train = cast(ImageFileDataset, self.train_data)
            seed = None if self.is_series else self.seed
            self.train_data, self.val_data = hold_out(train, self.held_out_ratio, seed)
        else:
            super()._create_val_split()
        logger.info("%s %s: %s", self.name, self.category, self.split_report())

    def val_dataloader(self) -> EVAL_DATALOADERS:
        """Get the validation images; none if ``val_split_mode`` is ``none``."""
        return [] if self.val_split_mode == ValSplitMode.NONE else super().val_dataloader()

    def train_dataloader(self) -> TRAIN_DATALOADERS:
        """Get the images to train on.

        Raises:
            ValueError: If they do not fill a batch.
        """
        found = len(self.train_data)
        if found < self.train_batch_size:
            raise ValueError(
                f"{self.name} {self.category} has {found:,} images to train on, which do not fill "
                f"a batch of {self.train_batch_size}: add images, or give --data.train_batch_size "
                f"{found} or less."
                if found
                else f"{self.name} {self.category} has no images to train on: add images, or hold "
                f"fewer out with --data.held_out_ratio."
            )
        return super().train_dataloader()

    def test_subset(self, per_label: int) -> ImageFileDataset:
        """Choose good and anomalous test images at random, the same ones every time.

        Args:
            per_label: Number of each; all where there are fewer.

        Returns:
            The good ones first.
        """
        data = cast(ImageFileDataset, self.test_data)
        chosen = [
            index
            for label in (0, 1)
            for index in data.samples[data.samples.label_index == label]
            .sample(frac=1, random_state=0)
            .index[:per_label]
        ]
        return cast(ImageFileDataset, data.subsample(chosen))

    def split_report(self) -> str:
        """Return the size of every split, as in ``"train: 90 good; test: 50 good, 9 crack"``."""
        splits = {"train": self.train_data, "test": self.test_data}
        if self.val_split_mode != ValSplitMode.NONE:
            splits["validation"] = self.val_data
        if self.labelled_defects:
            splits["set aside"] = self.labelled_data
        return "; ".join(f"{name}: {_counts(data.samples)}" for name, data in splits.items())


def side_length(image_size: int | Sequence[int]) -> int:
    """Read the size of a square image, which anomalib's ``get_datamodule`` makes a pair.

    Args:
        image_size: Side in pixels, or height and width.

    Raises:
        ValueError: If the two differ or are less than one pixel.

    Example:
        >>> side_length((32, 32))
        32
    """
    sides = {image_size} if isinstance(image_size, int) else set(image_size)
    if len(sides) != 1 or min(sides) < 1:
        raise ValueError(
            f"image_size is {image_size}, expected one number of pixels: the images are square."
        )
    return sides.pop()


def hold_out(
    dataset: ImageFileDataset, ratio: float, seed: int | None
) -> tuple[ImageFileDataset, ImageFileDataset]:
    """Keep part of the training images for validation.

    Args:
        dataset: Training images.
        ratio: Share to hold out, in (0, 1); at least one image is.
        seed: Seed of the choice. ``None``: the last images in the order of their names, for a
            series of photographs in which neighbours are near duplicates.

    Returns:
        tuple[ImageFileDataset, ImageFileDataset]: What remains, and what is held out.
    """
    paths = dataset.samples.image_path
    if seed is None:
        order = sorted(range(len(paths)), key=lambda i: natural_key(paths[i]))
    else:
        order = np.random.default_rng(seed).permutation(len(paths)).tolist()
    count = max(1, round(ratio * len(paths)))
    parts = dataset.subsample(order[:-count]), dataset.subsample(order[-count:])
    return cast(tuple[ImageFileDataset, ImageFileDataset], parts)


def natural_key(path: str | Path) -> list[tuple[int, str]]:
    """Key that sorts shot 2 before shot 10.

    >>> sorted(["shot10.png", "shot2.png"], key=natural_key)
    ['shot2.png', 'shot10.png']
    """
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _counts(samples: DataFrame) -> str:
    kinds = samples.get("defect_type", samples.label_index.map({0: GOOD, 1: "synthetic"}))
    counts = kinds.value_counts().sort_index(key=lambda index: index != GOOD, kind="stable")
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "none"
