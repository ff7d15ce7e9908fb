# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a model says of every image, kept raw: before any threshold, scaling or clamping."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from anomalib.data import AnomalibDataModule, ImageBatch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.nn.functional import interpolate

from anogan_plugin.scoring.scorer import as_numbers, score_parts

HELD_OUT, TEST = "held_out", "test"
_SPLITS = (HELD_OUT, TEST)
_LARGEST_MAP = 256
"""Maps and masks are compared at the size of the masks, or at this side in pixels if it is less."""
_LARGEST_PICTURE = 128


@dataclass
class Pictures:
    """What can be shown of the test images, row by row, each at most 128 pixels high and wide.

    Args:
        images: ``(3, H, W)`` uint8 each, as they are in the files.
        reconstructions: The same, what the model makes of them; empty if it makes nothing.
        maps: ``(H, W)`` float32 each; empty if the model draws none.
        masks: ``(H, W)`` bool each, true at the defect; empty if there are none.
    """

    images: list[np.ndarray] = field(default_factory=list)
    reconstructions: list[np.ndarray] = field(default_factory=list)
    maps: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)


class RawScores(Callback):
    """Notes the scores of all images, and the maps and pictures of the test images.

    To be given to a test of the loaders of :func:`loaders`. It must come before the model's own
    callbacks, as those that the trainer is given do: images and masks are noted as they are on
    disk, before the model's pre-processor changes their size.

    Attributes:
        pictures: Of the test images, in the order of their rows.
    """

    def __init__(self) -> None:
        self.pictures = Pictures()
        self._rows: list[pd.DataFrame] = []
        self._maps: list[np.ndarray] = []
        self._masks: list[np.ndarray] = []
        self._image = torch.empty(0)
        self._mask: torch.Tensor | None = None

    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: ImageBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note images and masks."""
        self._image = cast(torch.Tensor, batch.image).float().cpu()
        self._mask = None if batch.gt_mask is None else batch.gt_mask.bool().cpu()

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ImageBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note what the model says."""
        labels = cast(torch.Tensor, batch.gt_label).cpu().numpy().astype(np.int8)
        columns = {name: as_numbers(value) for name, value in score_parts(batch).items()}
        columns["defect_area"] = self._areas(labels)
        head = {"image_path": batch.image_path, "split": _SPLITS[dataloader_idx], "label": labels}
        self._rows.append(pd.DataFrame({**head, **columns}))
        if _SPLITS[dataloader_idx] == TEST:
            self._note_maps(batch)

    def _areas(self, labels: np.ndarray) -> np.ndarray:
        if self._mask is None:
            return np.where(labels == 0, 0.0, np.nan)
        return self._mask.flatten(1).double().mean(1).numpy()

    def _note_maps(self, batch: ImageBatch) -> None:
        reconstruction = getattr(batch, "reconstruction", None)
        self.pictures.images += list(_bytes(_at_most(self._image, _LARGEST_PICTURE)))
        if reconstruction is not None:
            unit = (reconstruction.float().cpu() + 1) / 2
            self.pictures.reconstructions += list(_bytes(_at_most(unit, _LARGEST_PICTURE)))
        if self._mask is not None:
            self.pictures.masks += list(_shrunk(self._mask, _LARGEST_PICTURE))
        if batch.anomaly_map is None:
            return
        size = self._image.shape[-2:]
        maps = batch.anomaly_map.float().cpu().reshape(len(self._image), 1, *_hw(batch.anomaly_map))
        at_size = interpolate(maps, size, mode="bilinear")
        self.pictures.maps += list(_at_most(at_size, _LARGEST_PICTURE)[:, 0].numpy())
        if self._mask is not None:
            self._maps += list(_at_most(at_size, _LARGEST_MAP)[:, 0].numpy())
            self._masks += list(_shrunk(self._mask, _LARGEST_MAP))

    def table(self, data: AnomalibDataModule) -> pd.DataFrame:
        """All images with their scores.

        Args:
            data: Where they come from.

        Returns:
            A row per image: ``image_path`` (from the folder that all are in), ``split``
            (``held_out`` or ``test``), ``label``, ``defect_type``, ``defect_area`` (share of the
            image that the mask covers), ``score``, and the parts of the score.

        Raises:
            ValueError: If a score is not finite, or there are no test images of both kinds.
        """
        table = pd.concat(self._rows, ignore_index=True)
        kinds = _kinds_of_defects(data)
        table.insert(3, "defect_type", [kinds[path] for path in table.image_path])
        table.insert(4, "defect_area", table.pop("defect_area"))
        common = os.path.commonpath([str(Path(path).parent) for path in table.image_path])
        table["image_path"] = [
            Path(path).relative_to(common).as_posix() for path in table.image_path
        ]
        _check(table)
        return table

    def maps_and_masks(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Anomaly maps of the test images beside what they should show.

        Returns:
            ``(N, H, W)`` float32 and bool, in the order of the test rows; None where the model
            draws none, there are no masks, or the images differ in size.
        """
        if not self._maps or len({each.shape for each in self._maps}) > 1:
            return None
        return np.stack(self._maps), np.stack(self._masks)


def loaders(data: AnomalibDataModule) -> list[Any]:
    """Held-out good images, and the test images.

    Args:
        data: A data module that is set up.

    Returns:
        Two data loaders.

    Raises:
        ValueError: If validation images are defects or are tested on: a threshold set on them
            would be fitted to the test.
    """
    held_out, test = data.val_data.samples, data.test_data.samples
    anomalous = int((held_out.label_index == 1).sum())
    shared = len(set(held_out.image_path) & set(test.image_path))
    if anomalous or shared:
        raise ValueError(
            f"{data.name} validates on {anomalous} defects and {shared} of its test images; "
            "thresholds must come from good images that are not tested on: give the data "
            "init_args: {val_split_mode: from_train}"
        )
    return [data.val_dataloader(), data.test_dataloader()]


def _kinds_of_defects(data: AnomalibDataModule) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for split in (data.val_data, data.test_data):
        samples = split.samples
        column = "defect_type" if "defect_type" in samples else "label"
        named = samples[column].where(samples.label_index == 1, "good")
        kinds.update(zip(samples.image_path, named.astype(str), strict=True))
    return kinds


def _check(table: pd.DataFrame) -> None:
    lost = table[~np.isfinite(table.score)]
    if len(lost):
        raise ValueError(
            f"{len(lost):,} of {len(table):,} scores are NaN or infinite, the first of "
            f"{lost.image_path.iloc[0]}: did the training diverge?"
        )
    for label, kind in ((0, "good"), (1, "anomalous")):
        if not ((table.split == TEST) & (table.label == label)).any():
            raise ValueError(f"there are no {kind} test images: nothing can be compared")


def _hw(maps: torch.Tensor) -> tuple[int, int]:
    return maps.shape[-2], maps.shape[-1]


def _at_most(images: torch.Tensor, side: int) -> torch.Tensor:
    height, width = _hw(images)
    if max(height, width) <= side:
        return images
    scale = side / max(height, width)
    return interpolate(
        images, (max(1, round(height * scale)), max(1, round(width * scale))), mode="area"
    )


def _shrunk(masks: torch.Tensor, side: int) -> np.ndarray:
    return (_at_most(masks[:, None].float(), side)[:, 0] >= 0.5).numpy()


def _bytes(images: torch.Tensor) -> np.ndarray:
    return (images.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
