# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""anomalib dataset of image files."""

from pathlib import Path

import numpy as np
import torch
from anomalib import TaskType
from anomalib.data import ImageItem
from anomalib.data.datasets.base.image import AnomalibDataset
from anomalib.data.utils import LabelName
from pandas import DataFrame
from torchvision.tv_tensors import Image, Mask

from .image_io import read_mask, read_pixels, to_unit_range

GOOD = "good"
"""``defect_type`` of good images, and the name of their folders."""


class ImageFileDataset(AnomalibDataset):
    """Images of 8 or 16 bits, grey or colour, with masks if all the defective ones have one.

    Args:
        samples: One row for each image, with the columns

            - ``image_path`` (str), ``split`` (str: ``train`` or ``test``);
            - ``label`` (str: ``normal`` or ``abnormal``), ``label_index`` (int: 0 or 1);
            - ``mask_path`` (str, empty without mask);
            - ``defect_type`` (str, ``good`` for normal images);
            - ``defect_area`` (float, % of the body, NaN if unknown);

            and the task, ``classification`` or ``segmentation``, in ``samples.attrs["task"]``.
        category: Name of the part, for folders of results.
    """

    def __init__(self, samples: DataFrame, category: str) -> None:
        super().__init__()
        self.samples = samples
        self.category = category

    def __getitem__(self, index: int) -> ImageItem:
        """Read an image.

        Args:
            index: Row of ``samples``.

        Returns:
            ImageItem: ``image`` ``(3, H, W)`` float32 in [0, 1]; ``gt_label`` bool, true for a
                defect; ``gt_mask`` ``(H, W)`` bool if the task is segmentation; the paths.
        """
        row = self.samples.iloc[index]
        image = Image(torch.from_numpy(to_unit_range(read_pixels(row.image_path))))
        mask = self._mask(row.mask_path, image.shape[-2:])
        if self.augmentations:
            image, mask = self.augmentations(image, mask)
        return ImageItem(
            image=image,
            gt_mask=mask,
            gt_label=torch.tensor(row.label_index),
            image_path=row.image_path,
            mask_path=row.mask_path,
        )

    def _mask(self, path: str, size: torch.Size) -> Mask | None:
        if self.task != TaskType.SEGMENTATION:
            return None
        mask = read_mask(path) if path else np.zeros(size, dtype=bool)
        return Mask(torch.from_numpy(mask.astype(np.uint8)))


def sample_row(
    path: Path, split: str, defect_type: str, mask: Path | None = None, area: float = float("nan")
) -> dict[str, object]:
    """Return a row of the samples that :class:`ImageFileDataset` takes."""
    good = defect_type == GOOD
    return {
        "image_path": str(path),
        "split": split,
        "label": "normal" if good else "abnormal",
        "label_index": int(LabelName.NORMAL if good else LabelName.ABNORMAL),
        "mask_path": str(mask or ""),
        "defect_type": defect_type,
        "defect_area": area,
    }
