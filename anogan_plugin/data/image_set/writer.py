# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Write a folder of pictures so that it is either whole or not there."""

import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.progress import track

from .manifest import Manifest, sha256

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedPicture:
    """A picture ready to be written.

    Args:
        path: Where it goes, relative to the folder, such as ``"test/short_fill/00000.png"``.
        image: Content of the file.
        mask: Content of the mask's file, for a defective picture. It goes to
            ``ground_truth/<defect>/`` under the same name.
        info: The defect's row in :class:`Manifest`.
    """

    path: str
    image: bytes
    mask: bytes | None = None
    info: dict[str, Any] | None = None

    @property
    def files(self) -> dict[str, bytes]:
        """Every file of the picture, by its relative path."""
        if self.mask is None:
            return {self.path: self.image}
        path = PurePosixPath(self.path)
        return {self.path: self.image, f"ground_truth/{path.parent.name}/{path.name}": self.mask}


def ensure_image_set(
    root: Path,
    header: Manifest,
    pictures: Callable[[], Iterable[EncodedPicture]],
    total: int,
    description: str,
) -> None:
    """Write ``root`` unless it exists.

    The pictures go to a sibling folder, which gets its ``dataset.json`` last and is then renamed:
    a run that is killed leaves no ``root``. A lock beside it, which the operating system frees when
    its owner dies, makes other processes wait for the one that writes.

    Args:
        root: The folder.
        header: Manifest that lacks its ``counts``, ``files`` and ``defects``.
        pictures: Makes the pictures; called only if they are needed.
        total: Number of pictures, for the progress bar.
        description: What is being done, for the progress bar.

    Raises:
        OSError: If the folder cannot be written.
    """
    if root.exists():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    lock_file = root.parent / f".{root.name}.lock"
    with _acquire(FileLock(lock_file), root):
        if not root.exists():
            _write(root, header, track(pictures(), description, total=total))
        with suppress(OSError):  # with `root` there, nobody needs the lock any more
            lock_file.unlink()


def _acquire(lock: FileLock, root: Path) -> AcquireReturnProxy:
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.warning("Another process is writing %s: waiting for it.", root)
        return lock.acquire()


def _write(root: Path, header: Manifest, pictures: Iterable[EncodedPicture]) -> None:
    partial = root.with_name(f".{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a killed run: this one holds the lock
    partial.mkdir()
    try:
        _write_pictures(partial, pictures, header).write(partial)
        _sync_folder(partial)
        partial.rename(root)
        _sync_folder(root.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_pictures(folder: Path, pictures: Iterable[EncodedPicture], header: Manifest) -> Manifest:
    counts: Counter[str] = Counter()
    files, defects = {}, []
    for picture in pictures:
        counts[str(PurePosixPath(picture.path).parent)] += 1
        for name, content in picture.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            files[name] = sha256(content)
        if picture.info is not None:
            defects.append({"file": picture.path, **picture.info})
    return replace(header, counts=dict(counts), files=files, defects=defects)


def _sync_folder(folder: Path) -> None:
    """Wait until the entries of ``folder`` are on the disk (POSIX; Windows has no such call)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
