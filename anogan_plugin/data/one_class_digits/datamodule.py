# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""OneClassDigits: one digit is normal, the rest are anomalies."""

from pathlib import Path

import numpy as np
import pandas as pd
from anomalib import TaskType
from anomalib.data.utils import Split, ValSplitMode
from anomalib.utils.path import get_datasets_dir
from sklearn.model_selection import train_test_split
from torchvision.transforms.v2 import Transform

from anogan_plugin.data.image_dataset import GOOD, sample_row
from anogan_plugin.data.one_class_datamodule import OneClassDataModule, side_length

from .digit_files import write_digits
from .sources import Digits, read_bundled, read_source

BUNDLED_TEST_SHARE = 1 / 3
"""Share of scikit-learn's digits, which have no split of their own, that is tested on."""


class OneClassDigits(OneClassDataModule):
    """Handwritten digits with the protocol of Ruff et al., Deep One-Class Classification (2018).

    Training images are the normal digits of the training split; test images are the whole test
    split, in which every other digit is an anomaly, the positive class. Images come out as
    ``(3, image_size, image_size)`` float32 in [0, 1], white on black. Digits that are used are
    written once as PNG files to anomalib's cache of data sets.

    Args:
        root: Folder with MNIST as IDX files (plain or .gz), in torchvision's layout (MNIST/raw), or
            as an .npz with x_train, y_train, x_test, y_test; or that .npz. ``None``: the 1,797
            digits of 8x8 pixels that come with scikit-learn, of which a third is tested on.
        normal_digits: Digits that are normal, out of 0 to 9.
        image_size: Height and width in pixels to which the digits are resized.
        held_out_ratio: Share of the normal training images that is held out for validation.
        labelled_defects: Number of test images of each anomalous digit that is set aside, in
            ``labelled_data``, for models that learn from labels (SupervisedCNN). No model is tested
            on them. Needs more test images of each than this.
        train_batch_size: Number of images in a training batch.
        eval_batch_size: Number of images in a validation or test batch.
        num_workers: Number of processes that load images. Small images load faster without any.
        train_augmentations: Augmentations of the training images.
        val_augmentations: Augmentations of the validation images.
        test_augmentations: Augmentations of the test images.
        augmentations: Augmentations of all images for which there are no other ones.
        val_split_mode: Where validation images come from: ``from_train`` (held-out normal images,
            so that no threshold is fitted to test images), ``from_test``, ``same_as_test``,
            ``synthetic`` or ``none``.
        val_split_ratio: Share of the images for the other ways to validate.
        seed: Seed of the splits, and of which defects are set aside.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from anogan_plugin.data.one_class_digits import OneClassDigits
        >>> datamodule = OneClassDigits(normal_digits=[1])
        >>> datamodule.setup()  # doctest: +SKIP
        >>> datamodule.test_data.samples.defect_type.value_counts()["good"]  # doctest: +SKIP
        61
    """

    def __init__(
        self,
        root: str | Path | None = None,
        normal_digits: list[int] = [1],  # noqa: B006 (shown by --help, and never changed)
        image_size: int | tuple[int, int] = 32,
        held_out_ratio: float = 0.1,
        labelled_defects: int = 0,
        train_batch_size: int = 64,
        eval_batch_size: int = 64,
        num_workers: int = 0,
        train_augmentations: Transform | None = None,
        val_augmentations: Transform | None = None,
        test_augmentations: Transform | None = None,
        augmentations: Transform | None = None,
        val_split_mode: ValSplitMode | str = ValSplitMode.FROM_TRAIN,
        val_split_ratio: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__(
            held_out_ratio=held_out_ratio,
            labelled_defects=labelled_defects,
            train_batch_size=train_batch_size,
            eval_batch_size=eval_batch_size,
            num_workers=num_workers,
            train_augmentations=train_augmentations,
            val_augmentations=val_augmentations,
            test_augmentations=test_augmentations,
            augmentations=augmentations,
            val_split_mode=val_split_mode,
            val_split_ratio=val_split_ratio,
            seed=seed,
        )
        digits = sorted(set(normal_digits))
        if not digits or len(digits) > 9 or not set(digits) <= set(range(10)):
            raise ValueError(
                f"normal_digits is {normal_digits}, expected one to nine of the digits 0 to 9."
            )
        self.root = None if root is None else Path(root)
        self.normal_digits = digits
        self.image_size = side_length(image_size)
        self.category = "-".join(map(str, digits))

    def _setup(self, _stage: str | None = None) -> None:
        rows = self._bundled_rows() if self.root is None else self._source_rows(self.root)
        samples = pd.DataFrame(rows)
        samples.attrs["task"] = TaskType.CLASSIFICATION.value
        self._use_samples(samples)

    def _bundled_rows(self) -> list[dict[str, object]]:
        digits = read_bundled()
        everything = np.arange(len(digits.labels))
        files = write_digits(self._cache("sklearn", digits), digits, everything, self.image_size)
        train, test = train_test_split(
            everything,
            test_size=BUNDLED_TEST_SHARE,
            stratify=digits.labels,
            random_state=self.seed,
        )
        train = train[np.isin(digits.labels[train], self.normal_digits)]
        return self._rows(Split.TRAIN, digits, {i: files[i] for i in train.tolist()}) + self._rows(
            Split.TEST, digits, {i: files[i] for i in test.tolist()}
        )

    def _source_rows(self, root: Path) -> list[dict[str, object]]:
        splits = read_source(root)
        train, test = splits["train"], splits["test"]
        rows = self._rows(
            Split.TEST,
            test,
            write_digits(
                self._cache("test", test), test, np.arange(len(test.labels)), self.image_size
            ),
        )
        for digit in self.normal_digits:
            files = write_digits(
                self._cache(f"train-{digit}", train),
                train,
                np.flatnonzero(train.labels == digit),
                self.image_size,
            )
            rows += self._rows(Split.TRAIN, train, files)
        return rows

    def _cache(self, part: str, digits: Digits) -> Path:
        name = f"{part}-{self.image_size}px-{digits.digest()}"
        return get_datasets_dir() / "one_class_digits" / name

    def _rows(
        self, split: Split, digits: Digits, files: dict[int, Path]
    ) -> list[dict[str, object]]:
        rows = []
        for index, path in files.items():
            digit = int(digits.labels[index])
            kind = GOOD if digit in self.normal_digits else str(digit)
            rows.append({**sample_row(path, split.value, kind), "digit": digit})
        return rows
