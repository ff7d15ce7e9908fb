# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Where digits come from: scikit-learn's own, or MNIST as IDX files or ``.npz``."""

import gzip
import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

_IDX_IMAGES, _IDX_LABELS = 0x0803, 0x0801  # magic numbers: uint8 of three dimensions, of one
_NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")
_LAYOUTS = (
    "IDX files (train-images-idx3-ubyte and three more, plain or .gz), torchvision's MNIST/raw, or "
    f"an .npz with {', '.join(_NPZ_KEYS)}"
)


@dataclass(frozen=True)
class Digits:
    """Digits of one split.

    Args:
        images: ``(N, H, W)`` uint8, white on black.
        labels: ``(N,)`` int64, 0 to 9.
    """

    images: np.ndarray
    labels: np.ndarray

    def digest(self) -> str:
        """Return a short hash of the contents."""
        content = self.images.tobytes() + self.labels.tobytes() + repr(self.images.shape).encode()
        return hashlib.sha256(content).hexdigest()[:12]


def read_bundled() -> Digits:
    """Return the 1,797 digits of scikit-learn, 8x8, which have no split."""
    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return Digits(images, bunch.target.astype(np.int64))


def read_source(root: Path) -> dict[str, Digits]:
    """Read digits that come with a split.

    Args:
        root: An ``.npz`` file, or a folder with IDX files, torchvision's layout or one ``.npz``.

    Returns:
        dict[str, Digits]: The splits ``train`` and ``test``.

    Raises:
        FileNotFoundError: If ``root`` does not exist or holds none of these.
        ValueError: If a file is damaged.
    """
    if root.suffix == ".npz" and root.is_file():
        return _read_npz(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root} does not exist: give a folder with {_LAYOUTS}.")
    for folder in (root, root / "MNIST" / "raw"):
        if _find_idx(folder, "train", "images") is not None:
            return {
                split: _read_idx_split(folder, prefix)
                for split, prefix in (("train", "train"), ("test", "t10k"))
            }
    archives = sorted(root.glob("*.npz"))
    if len(archives) == 1:
        return _read_npz(archives[0])
    found = ", ".join(sorted(path.name for path in root.iterdir())[:5]) or "nothing"
    raise FileNotFoundError(f"{root} has no digits: expected {_LAYOUTS}, found {found}.")


def _find_idx(folder: Path, prefix: str, what: str) -> Path | None:
    """Find a file of MNIST under one of the names it goes by."""
    dimensions = 3 if what == "images" else 1
    names = [f"{prefix}-{what}{dot}idx{dimensions}-ubyte" for dot in "-."]
    candidates = [folder / (name + end) for name in names for end in ("", ".gz")]
    return next((path for path in candidates if path.is_file()), None)


def _read_idx_split(folder: Path, prefix: str) -> Digits:
    images, labels = _find_idx(folder, prefix, "images"), _find_idx(folder, prefix, "labels")
    if images is None or labels is None:
        what, dimensions = ("images", 3) if images is None else ("labels", 1)
        raise FileNotFoundError(
            f"{folder / f'{prefix}-{what}-idx{dimensions}-ubyte'} (or .gz) does not exist: add it."
        )
    return _checked(_read_idx(images, _IDX_IMAGES), _read_idx(labels, _IDX_LABELS), images)


def _read_idx(path: Path, magic: int) -> np.ndarray:
    """Read a file of LeCun's IDX format: magic number, dimensions, uint8 values."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): download it again.") from error
    header = 4 * (1 + magic % 256)
    words = np.frombuffer(content[: len(content) // 4 * 4][:header], dtype=">u4").tolist()
    if not words or words[0] != magic:
        found = f"{words[0]:#06x}" if words else "an empty file"
        raise ValueError(
            f"{path} is not the IDX file it should be: expected the magic number {magic:#06x}, "
            f"found {found}. Download it again."
        )
    shape = words[1:]
    expected = header + int(np.prod(shape))
    if len(content) != expected:
        raise ValueError(
            f"{path} is damaged: expected {expected:,} bytes for {shape}, found {len(content):,}. "
            "Download it again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _read_npz(path: Path) -> dict[str, Digits]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _NPZ_KEYS if key not in archive]
            arrays = {key: archive[key] for key in _NPZ_KEYS if key in archive}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): download it again.") from error
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}: expected {', '.join(_NPZ_KEYS)}.")
    return {
        split: _checked(arrays[f"x_{split}"], arrays[f"y_{split}"], path)
        for split in ("train", "test")
    }


def _checked(images: np.ndarray, labels: np.ndarray, path: Path) -> Digits:
    good = (
        images.ndim == 3
        and images.dtype == np.uint8
        and labels.shape == images.shape[:1]
        and np.issubdtype(labels.dtype, np.integer)
        and len(labels) > 0
        and 0 <= labels.min() <= labels.max() <= 9
    )
    if not good:
        raise ValueError(
            f"{path} does not hold digits: expected images (N, H, W) uint8 with N labels from 0 to "
            f"9, found images {images.shape} {images.dtype} with labels {labels.shape} "
            f"{labels.dtype}."
        )
    return Digits(images, labels.astype(np.int64))
