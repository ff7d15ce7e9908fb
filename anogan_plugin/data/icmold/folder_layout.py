# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which image of a folder is what: the layout on disk as a table of samples.

::

    root/train/good/           good images to train on
    root/test/good/            good test images
    root/test/<defect>/        defective test images, any number of such folders
    root/ground_truth/<defect>/   their masks (optional): <name>.png or <name>_mask.png

A folder that directly holds photographs is a series of good parts.
"""

import logging
import math
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd
from anomalib import TaskType
from anomalib.data.utils import Split

from anogan_plugin.data.image_dataset import GOOD, sample_row
from anogan_plugin.data.image_io import IMAGE_SUFFIXES, find_images
from anogan_plugin.data.image_set import Manifest
from anogan_plugin.data.one_class_datamodule import natural_key

logger = logging.getLogger(__name__)

_EXPECTED = "expected train/good and test/<good or defect>, or photographs directly in it"


def read_folder(root: Path) -> pd.DataFrame:
    """List the images of a folder.

    Args:
        root: Existing folder in one of the layouts above.

    Returns:
        pd.DataFrame: Samples, as :class:`~anogan_plugin.data.image_dataset.ImageFileDataset` takes
            them.

    Raises:
        ValueError: If the folder has neither layout, one of its folders is empty, or a mask
            belongs to no image.
    """
    if not root.is_dir():
        raise ValueError(f"{root} is a file, expected a folder of images.")
    if not (root / "train").is_dir():
        return as_samples(_series_rows(root))
    rows = [sample_row(p, Split.TRAIN.value, GOOD) for p in _images(root / "train" / GOOD)]
    test = _folders(root / "test")
    for folder in test:
        masks = {} if folder.name == GOOD else _masks(root, folder)
        rows += [
            sample_row(path, Split.TEST.value, folder.name, masks.get(path))
            for path in _images(folder)
        ]
    _reject_masks_without_folder(root, {folder.name for folder in test})
    return as_samples(rows)


def read_written_set(root: Path, manifest: Manifest) -> pd.DataFrame:
    """List the images of a folder that this package wrote, as :func:`read_folder` does.

    Args:
        root: The folder.
        manifest: Its ``dataset.json``, which holds the areas of the defects.

    Returns:
        pd.DataFrame: Samples.
    """
    areas = {row["file"]: float(row["area_percent"]) for row in manifest.defects}
    rows = []
    for name in manifest.files:
        split, kind, *rest = PurePosixPath(name).parts
        if split != "ground_truth":
            mask = root / "ground_truth" / kind / rest[-1] if name in areas else None
            rows.append(sample_row(root / name, split, kind, mask, areas.get(name, math.nan)))
    return as_samples(rows)


def as_samples(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return rows as a table; the task is segmentation if every defective image has a mask."""
    samples = pd.DataFrame(list(rows))
    defects = samples[samples.defect_type != GOOD]
    with_mask = defects.mask_path != ""
    if with_mask.any() and not with_mask.all():
        without = sorted(defects.defect_type[~with_mask].unique())
        logger.warning(
            "No masks of %s: the task is classification, and the other masks are not used.",
            ", ".join(without),
        )
    complete = with_mask.all() and len(defects) > 0
    samples.attrs["task"] = (TaskType.SEGMENTATION if complete else TaskType.CLASSIFICATION).value
    return samples


def concat_samples(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return all the samples in one table, with the task that goes for all."""
    return as_samples(row for table in tables for row in table.to_dict("records"))


def has_good_test_images(samples: pd.DataFrame) -> bool:
    """Whether a test can tell good from defective."""
    return bool(((samples.split == Split.TEST.value) & (samples.defect_type == GOOD)).any())


def split_series(samples: pd.DataFrame, train_share: float) -> pd.DataFrame:
    """Train on the first images of a series and test on the rest.

    Neighbouring shots are near duplicates: a random split would test on what was trained on.

    Args:
        samples: Samples, whose training images are the series, in the order of their names.
        train_share: Share to train on, in (0, 1).

    Returns:
        pd.DataFrame: The same samples, with another ``split``.
    """
    series = samples.index[samples.split == Split.TRAIN.value]
    order = sorted(series, key=lambda i: natural_key(samples.image_path[i]))
    samples = samples.copy()
    samples.loc[order[round(train_share * len(order)) :], "split"] = Split.TEST.value
    return samples


def match_by_stem(paths: list[Path], folder: Path) -> dict[Path, Path]:
    """Find the mask of every image, by the name without its ending.

    Args:
        paths: Images.
        folder: Folder of masks called ``<name>`` or ``<name>_mask``, with any ending.

    Returns:
        dict[Path, Path]: The mask of each image that has one.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If a mask belongs to no image, or two masks belong to one.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist, expected a folder of masks: correct it.")
    image_of_stem = {path.stem + end: path for path in paths for end in ("_mask", "")}
    masks: dict[Path, Path] = {}
    for mask in find_images(folder):
        image = image_of_stem.get(mask.stem)
        if image is None:
            raise ValueError(f"{mask} is the mask of no image: add the image, or remove the mask.")
        if image in masks:
            raise ValueError(f"{mask} and {masks[image]} are masks of one image: remove one.")
        masks[image] = mask
    return masks


def _series_rows(root: Path) -> list[dict[str, object]]:
    photographs = [path for path in find_images(root) if path.parent == root]
    if not photographs:
        found = ", ".join(sorted(p.name for p in root.iterdir())[:5]) or "nothing"
        raise ValueError(
            f"{root} has no images: {_EXPECTED} ({', '.join(sorted(IMAGE_SUFFIXES))}), found "
            f"{found}. Correct --data.root, or delete the folder to have a set rendered there."
        )
    return [
        sample_row(path, Split.TRAIN.value, GOOD) for path in sorted(photographs, key=natural_key)
    ]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    paths = find_images(folder) if folder.is_dir() else []
    if not paths:
        state = "has no images in it" if folder.is_dir() else "does not exist"
        raise ValueError(
            f"{folder} {state}: {_EXPECTED}. Add images "
            f"({', '.join(sorted(IMAGE_SUFFIXES))}), or remove the empty folder."
        )
    return paths


def _masks(root: Path, folder: Path) -> dict[Path, Path]:
    mask_folder = root / "ground_truth" / folder.name
    if not mask_folder.is_dir():
        return {}
    paths = _images(folder)
    masks = match_by_stem(paths, mask_folder)
    without = [path for path in paths if path not in masks]
    if without:
        raise ValueError(
            f"{without[0]} has no mask in {mask_folder}, where others have ({len(without):,} such "
            "images): add the masks, or remove that folder to go without."
        )
    return masks


def _reject_masks_without_folder(root: Path, defects: set[str]) -> None:
    for folder in _folders(root / "ground_truth"):
        if folder.name not in defects and find_images(folder):
            raise ValueError(
                f"{folder} holds masks, but {root / 'test' / folder.name} does not exist: add the "
                "images, or remove the masks."
            )
