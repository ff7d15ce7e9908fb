# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a model says of every image, kept raw: before any threshold, scaling or clamping."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from anomalib.data import AnomalibDataModule, ImageBatch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader

from anogan_plugin.comparison.scored_batches import SavedBatches, ScoredBatch
from anogan_plugin.scoring.scorer import as_numbers, score_parts

SELECTION, HELD_OUT, TEST = "selection", "held_out", "test"
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

    Args:
        seed: What a model draws while it scores a batch follows from this and the batch's place.
        saved: Keeps the batches, and has those that an earlier run has scored.
    """

    def __init__(self, seed: int = 0, saved: SavedBatches | None = None) -> None:
        self._seed, self._saved = seed, saved
        self._batches = [] if saved is None else saved.load()
        self._began = 0.0
        self._image = torch.empty(0)
        self._mask: torch.Tensor | None = None

    @property
    def scored(self) -> tuple[int, ...]:
        """How many batches have been scored, of held-out and of test images."""
        return tuple(sum(each.split == split for each in self._batches) for split in _SPLITS)

    @property
    def seconds(self) -> float:
        """What scoring them took."""
        return sum(each.seconds for each in self._batches)

    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: ImageBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Note images and masks."""
        self._began = time.perf_counter()
        torch.manual_seed(self._seed + len(self._batches))
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
        split = _SPLITS[dataloader_idx]
        labels = cast(torch.Tensor, batch.gt_label).cpu().numpy().astype(np.int8)
        rows = {
            "image_path": np.array(batch.image_path),
            "label": labels,
            **{name: as_numbers(value) for name, value in score_parts(batch).items()},
            "defect_area": self._areas(labels),
        }
        pictures = self._pictures(batch) if split == TEST else {}
        scored = ScoredBatch(split, rows, time.perf_counter() - self._began, pictures)
        self._batches.append(scored)
        if self._saved is not None:
            self._saved.keep(len(self._batches) - 1, scored)

    def _areas(self, labels: np.ndarray) -> np.ndarray:
        if self._mask is None:
            return np.where(labels == 0, 0.0, np.nan)
        return self._mask.flatten(1).double().mean(1).numpy()

    def _pictures(self, batch: ImageBatch) -> dict[str, np.ndarray]:
        found = {"images": _bytes(_at_most(self._image, _LARGEST_PICTURE))}
        reconstruction = getattr(batch, "reconstruction", None)
        if reconstruction is not None:
            unit = (reconstruction.float().cpu() + 1) / 2
            found["reconstructions"] = _bytes(_at_most(unit, _LARGEST_PICTURE))
        if self._mask is not None:
            found["masks"] = _shrunk(self._mask, _LARGEST_PICTURE)
        if batch.anomaly_map is None:
            return found
        size = self._image.shape[-2:]
        maps = batch.anomaly_map.float().cpu().reshape(len(self._image), 1, *_hw(batch.anomaly_map))
        at_size = interpolate(maps, size, mode="bilinear")
        found["maps"] = _at_most(at_size, _LARGEST_PICTURE)[:, 0].numpy()
        if self._mask is not None:
            found["large_maps"] = _at_most(at_size, _LARGEST_MAP)[:, 0].numpy()
            found["large_masks"] = _shrunk(self._mask, _LARGEST_MAP)
        return found

    @property
    def pictures(self) -> Pictures:
        """Of the test images, in the order of their rows."""
        return Pictures(**{each.name: self._all(each.name) for each in fields(Pictures)})

    def _all(self, name: str) -> list[np.ndarray]:
        batches = [each.pictures[name] for each in self._batches if name in each.pictures]
        return [image for batch in batches for image in batch]

    def table(self, data: AnomalibDataModule, selecting: int = 0) -> pd.DataFrame:
        """All images with their scores.

        Args:
            data: Where they come from.
            selecting: How many of the held-out images, the first ones, the model has chosen by: a
                threshold set on them would reject more good images than it promises.

        Returns:
            A row per image: ``image_path`` (from the folder that all are in, wherever that is),
            ``split`` (``selection``, ``held_out`` or ``test``), ``label``, ``defect_type``,
            ``defect_area`` (share of the image that the mask covers), ``score``, and the parts of
            the score.

        Raises:
            ValueError: If a score is not finite, or there are no test images of both kinds.
        """
        parts = [pd.DataFrame({"split": each.split, **each.rows}) for each in self._batches]
        table = pd.concat(parts, ignore_index=True)
        table.insert(0, "image_path", table.pop("image_path"))
        held_out = table.index[table.split == HELD_OUT]
        table.loc[held_out[:selecting], "split"] = SELECTION
        kinds = _kinds_of_defects(data)
        table.insert(3, "defect_type", [kinds[path] for path in table.image_path])
        table.insert(4, "defect_area", table.pop("defect_area"))
        table["image_path"] = _names(table.image_path, getattr(data, "root", None) or "")
        _check(table)
        return table

    def maps_and_masks(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Anomaly maps of the test images beside what they should show.

        Returns:
            ``(N, H, W)`` float32 and bool, in the order of the test rows; None where the model
            draws none, there are no masks, or the images differ in size.
        """
        maps = self._all("large_maps")
        if not maps or len({each.shape for each in maps}) > 1:
            return None
        return np.stack(maps), np.stack(self._all("large_masks"))


def loaders(data: AnomalibDataModule, scored: Sequence[int] = (0, 0)) -> list[Any]:
    """Held-out good images, and the test images.

    Args:
        data: A data module that is set up.
        scored: How many batches of either to leave out, as they are scored already.

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
    both = (data.val_dataloader(), data.test_dataloader())
    return [_rest_of(loader, count) for loader, count in zip(both, scored, strict=True)]


def _rest_of(loader: Any, count: int) -> Any:
    """The same batches but for the first ones."""
    if count == 0:
        return loader
    return DataLoader(
        loader.dataset,
        batch_sampler=list(loader.batch_sampler)[count:],
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
    )


def _kinds_of_defects(data: AnomalibDataModule) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for split in (data.val_data, data.test_data):
        samples = split.samples
        column = "defect_type" if "defect_type" in samples else "label"
        named = samples[column].where(samples.label_index == 1, "good")
        kinds.update(zip(samples.image_path, named.astype(str), strict=True))
    return kinds


def _names(files: Iterable[str], root: str | Path) -> list[str]:
    """Paths of images that say nothing of where their data set, or a cache of it, lies.

    Jobs of two checkouts are then of the same images. Painted images lie in a cache, and what they
    are painted on in the data set: either kind has its own folder to start from.
    """
    folder, paths = Path(root).absolute(), [Path(file).absolute() for file in files]
    inside = [path for path in paths if folder in path.parents]
    outside = [path for path in paths if folder not in path.parents]
    starts = {True: _common(inside), False: _common(outside)}
    if inside and outside:
        starts[False] = starts[False].parent  # painted ones are called as photographs are
    return [path.relative_to(starts[folder in path.parents]).as_posix() for path in paths]


def _common(paths: list[Path]) -> Path:
    return Path(os.path.commonpath([path.parent for path in paths]) if paths else "")


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
