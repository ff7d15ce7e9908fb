# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ICMold: photographs of moulded IC packages for anomalib."""

import logging
import os
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from anomalib.data.utils import Split, ValSplitMode
from anomalib.utils.path import get_datasets_dir
from lightning.pytorch.utilities.types import EVAL_DATALOADERS
from torchvision.transforms.v2 import Transform

from anogan_plugin.data.image_dataset import GOOD
from anogan_plugin.data.image_set import MANIFEST_NAME, Manifest
from anogan_plugin.data.image_set.painted import PaintPlan, paint_set
from anogan_plugin.data.image_set.rendered import RenderPlan, check_kinds, render_set
from anogan_plugin.data.one_class_datamodule import OneClassDataModule, side_length

from .checks import OnUnreadable, check_images, check_own_images, check_rendered
from .folder_layout import (
    concat_samples,
    has_good_test_images,
    match_by_stem,
    read_folder,
    read_written_set,
    split_series,
)

logger = logging.getLogger(__name__)

TRAIN_SHARE = 0.7
"""Share of a series of photographs that is trained on if the rest is needed for a test set."""


class ICMold(OneClassDataModule):
    """Grey photographs of IC packages, of which some are not filled completely.

    - If ``root`` does not exist, the split of Nakaoka & Kimoto is rendered there.
    - If it does, it holds ``train/good``, ``test/good``, ``test/<defect>`` and, optionally, masks
      in ``ground_truth/<defect>``, or directly a series of photographs of good parts. PNG, BMP,
      TIFF and JPEG, 8 or 16 bit, grey or colour, of any size.

    Images come out as ``(3, H, W)`` float32 in [0, 1]. Defects are the positive class.

    Args:
        root: Folder of the images.
        train_good: Number of good images to render for training. ``None``: 3,277, or what is there.
        test_good: Number of good images to render for the test. ``None``: 1,100, or what is there.
        test_defects: Number of defective images to render, split evenly among ``defects``.
            ``None``: 755, or what is there.
        image_size: Side in pixels of the square rendered images. ``None``: 64, or what is there.
        defects: Kinds of defects to render: short_fill, void, flash, chipped_corner, crack,
            scratch, foreign_particle, wrong_marking. ``None``: short_fill, or what is there.
        render_seed: Seed of rendered and painted pictures. ``None``: 0, or what is there.
        paint_defects: Kinds of defects to paint on copies of the good test photographs, which adds
            them to the test set. Where there are no good test photographs, the first 70 % of the
            photographs are trained on and the rest is painted on. ``None``: paint nothing.
        paint_count: Number of painted images, split evenly among ``paint_defects``. ``None``: as
            many as there are photographs to paint on.
        body_mask: Folder with a mask of the package body for each photograph to paint on, under the
            photograph's name. ``None``: find the body in the photograph.
        held_out_ratio: Share of the good training images that is held out for validation.
        labelled_defects: Number of test images of each type of defect that is set aside, in
            ``labelled_data``, for models that learn from labels (SupervisedCNN). No model is tested
            on them. Needs more test images of each than this.
        on_unreadable: What to do about images that cannot be read: ``raise`` an error, or ``skip``
            them and list them.
        train_batch_size: Number of images in a training batch.
        eval_batch_size: Number of images in a validation or test batch.
        num_workers: Number of processes that load images. Small images load faster without any.
        train_augmentations: Augmentations of the training images.
        val_augmentations: Augmentations of the validation images.
        test_augmentations: Augmentations of the test images.
        augmentations: Augmentations of all images for which there are no other ones.
        val_split_mode: Where validation images come from: ``from_train`` (held-out good images, so
            that no threshold is fitted to test images), ``from_test``, ``same_as_test``,
            ``synthetic`` or ``none``.
        val_split_ratio: Share of the images for the other ways to validate.
        seed: Seed of the split between training and validation, and of which defects are set aside.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from anogan_plugin.data.icmold import ICMold
        >>> datamodule = ICMold(train_good=200, test_good=50, test_defects=50)
        >>> datamodule.setup()  # doctest: +SKIP
        >>> next(iter(datamodule.train_dataloader())).image.shape  # doctest: +SKIP
        torch.Size([64, 3, 64, 64])
    """

    def __init__(
        self,
        root: str | Path = "datasets/icmold",
        train_good: int | None = None,
        test_good: int | None = None,
        test_defects: int | None = None,
        image_size: int | tuple[int, int] | None = None,
        defects: list[str] | None = None,
        render_seed: int | None = None,
        paint_defects: list[str] | None = None,
        paint_count: int | None = None,
        body_mask: str | Path | None = None,
        held_out_ratio: float = 0.1,
        labelled_defects: int = 0,
        on_unreadable: OnUnreadable = "raise",
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
        self.root = Path(root)
        self.category = self._absolute_root.name
        requested: dict[str, Any] = {
            "train_good": train_good,
            "test_good": test_good,
            "test_defects": test_defects,
            "image_size": None if image_size is None else side_length(image_size),
            "defects": None if defects is None else tuple(defects),
            "seed": render_seed,
        }
        self._requested = {name: value for name, value in requested.items() if value is not None}
        self.render_plan = RenderPlan(**self._requested)
        self.paint_defects = tuple(paint_defects or ())
        if self.paint_defects:
            check_kinds("paint_defects", self.paint_defects)
        self.paint_count = paint_count
        self.body_mask = None if body_mask is None else Path(body_mask)
        if on_unreadable not in get_args(OnUnreadable):
            raise ValueError(
                f"on_unreadable is {on_unreadable!r}, expected one of {get_args(OnUnreadable)}."
            )
        if not self.paint_defects and (paint_count is not None or body_mask is not None):
            raise ValueError(
                "paint_count and body_mask are for painting: give --data.paint_defects too, as in "
                "'[short_fill]', or drop them."
            )
        self.on_unreadable = on_unreadable

    def _setup(self, _stage: str | None = None) -> None:
        if not self.root.exists():
            self._render()
        manifest = self._verified_manifest()
        samples = read_written_set(self.root, manifest) if manifest else read_folder(self.root)
        self.is_series = not has_good_test_images(samples)
        if self.is_series and self.paint_defects:
            samples = split_series(samples, TRAIN_SHARE)
        if manifest is None:
            samples = check_images(samples, self.on_unreadable)
        if self.paint_defects:
            samples = concat_samples(samples, self._painted(samples))
        self._use_samples(samples)
        self._check_test_images()

    def _verified_manifest(self) -> Manifest | None:
        """Return the manifest of a rendered set, or None for the user's own images."""
        if not (self.root / MANIFEST_NAME).is_file():
            check_own_images(self.root, self._requested, painting=bool(self.paint_defects))
            return None
        manifest = Manifest.read(self.root)
        check_rendered(self.root, manifest, self._requested)
        return manifest

    def _render(self) -> None:
        if self.paint_defects:
            raise FileNotFoundError(
                f"{self.root} does not exist, so there is nothing to paint defects on: correct "
                "--data.root."
            )
        plan = self.render_plan
        logger.warning(
            "%s does not exist: rendering %d good images to train on, %d good and %d defective "
            "ones (%s) to test on there, from seed %d.",
            self._absolute_root,
            plan.train_good,
            plan.test_good,
            plan.test_defects,
            ", ".join(plan.defects),
            plan.seed,
        )
        render_set(self.root, plan)

    def _painted(self, samples: pd.DataFrame) -> pd.DataFrame:
        """Return samples of defects painted on the good test images among ``samples``."""
        paths = [Path(path) for path in samples.image_path]
        good_test = (samples.split == Split.TEST.value) & (samples.defect_type == GOOD)
        photographs = tuple(path for path, chosen in zip(paths, good_test, strict=True) if chosen)
        # Where two images have one name, the mask is for the one that is painted on.
        painted_last = sorted(paths, key=lambda path: path in photographs)
        masks = match_by_stem(painted_last, self.body_mask) if self.body_mask else {}
        plan = PaintPlan(
            photographs,
            self.paint_defects,
            len(photographs) if self.paint_count is None else self.paint_count,
            self.render_plan.seed,
            {path: masks[path] for path in photographs if path in masks},
        )
        painted = paint_set(self._beside_root(), plan)
        manifest = Manifest.read(painted)
        manifest.verify(painted)
        return read_written_set(painted, manifest)

    @property
    def _absolute_root(self) -> Path:
        return Path(os.path.abspath(self.root))  # noqa: PTH100 (resolve() would follow links)

    def _beside_root(self) -> Path:
        """Where painted pictures go: beside the photographs, or else in anomalib's cache."""
        root = self._absolute_root
        # The superuser can write where nobody is meant to: the mode tells.
        writable = os.access(root.parent, os.W_OK) and root.parent.stat().st_mode & 0o222
        return root if writable else get_datasets_dir() / root.name

    def _check_test_images(self) -> None:
        if self.test_data.samples.empty:
            if self.val_split_mode in {ValSplitMode.FROM_TEST, ValSplitMode.SAME_AS_TEST}:
                raise ValueError(self._no_test_images())
            logger.warning("%s Training and prediction work without.", self._no_test_images())
        elif not self.test_data.has_normal:
            logger.warning("%s has no good test images: AUROC is undefined.", self.root)

    def _no_test_images(self) -> str:
        return (
            f"{self.root} has no test images: add test/good and test/<defect>, or have defects "
            f"painted on the photographs by --data.paint_defects '[short_fill]'."
        )

    def test_dataloader(self) -> EVAL_DATALOADERS:
        """Get the test images.

        Raises:
            ValueError: If there are none.
        """
        if self.test_data.samples.empty:
            raise ValueError(self._no_test_images())
        return super().test_dataloader()
