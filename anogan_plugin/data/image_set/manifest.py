# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``dataset.json``: what a written folder of pictures holds, and how it was made."""

import hashlib
import json
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anogan_plugin.data.image_io import find_images

MANIFEST_NAME = "dataset.json"
FORMAT_VERSION = 1


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of ``content``."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_files(paths: list[Path]) -> list[str]:
    """Return the hexadecimal SHA-256 of every file."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda path: sha256(path.read_bytes()), paths))


@dataclass(frozen=True)
class Manifest:
    """Content of a ``dataset.json``.

    Args:
        generator: What made the pictures: ``"rendered"``, ``"painted"`` or ``"digits"``.
        generator_version: Version of that generator; another version makes other pixels.
        seed: Seed of the pictures.
        parameters: The generator's parameters, plain JSON values.
        counts: Number of images in each folder, such as ``{"train/good": 3277}``, without masks.
        files: SHA-256 of every image and mask, by its path relative to the folder.
        defects: A row for each defective image: its ``file``, and what the generator says about
            the defect (``defect``, ``area_percent`` of the body, ``contrast``, ``x`` and ``y`` of
            its centre in pixels, and more).
        format_version: Version of this layout.
    """

    generator: str
    generator_version: str
    seed: int
    parameters: dict[str, Any]
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    defects: list[dict[str, Any]] = field(default_factory=list)
    format_version: int = FORMAT_VERSION

    @classmethod
    def read(cls, root: Path) -> "Manifest":
        """Read ``root/dataset.json``.

        Raises:
            ValueError: If it is damaged, or of a format that this version does not know.
        """
        path = root / MANIFEST_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content["format_version"]
            manifest = cls(**content) if found == FORMAT_VERSION else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged ({error}): delete {root} to have it made anew, or delete only "
                "the file if the pictures are your own."
            ) from error
        if manifest is None:
            raise ValueError(
                f"{path} has format {found}, expected {FORMAT_VERSION}: delete {root} to have it "
                "made anew, or install the version of anogan_plugin that wrote it."
            )
        return manifest

    def write(self, root: Path) -> None:
        """Write ``root/dataset.json`` and wait until it is on the disk."""
        with (root / MANIFEST_NAME).open("w", encoding="utf-8") as stream:
            json.dump(asdict(self), stream, indent=1, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())

    def verify(self, root: Path) -> None:
        """Compare the images below ``root`` with this manifest, byte by byte.

        Raises:
            ValueError: If images are missing, extra or changed; the message names the first few.
        """
        found = {path.relative_to(root).as_posix(): path for path in find_images(root)}
        common = sorted(found.keys() & self.files.keys())
        digests = sha256_of_files([found[name] for name in common])
        changed = [n for n, digest in zip(common, digests, strict=True) if digest != self.files[n]]
        differences = [
            _summary(what, names)
            for what, names in (
                ("missing", self.files.keys() - found.keys()),
                ("extra", found.keys() - self.files.keys()),
                ("changed", changed),
            )
            if names
        ]
        if differences:
            raise ValueError(
                f"{root} does not match its {MANIFEST_NAME}: {'; '.join(differences)}. Delete the "
                f"folder to have it made anew, or delete {MANIFEST_NAME} to use it as your own."
            )


def _summary(what: str, names: Collection[str]) -> str:
    first = ", ".join(sorted(names)[:3])
    return f"{len(names):,} {what} ({first}{', …' if len(names) > 3 else ''})"
