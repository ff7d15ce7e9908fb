# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a result was computed with: versions, machine, commit, images."""

import hashlib
import platform
import resource
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch
from anomalib.data import AnomalibDataModule

from anogan_plugin import __version__

_PACKAGES = ("anomalib", "torch", "torchvision", "lightning", "timm", "numpy", "scikit-learn")
_MIB = 1 << 20


def environment(device: str) -> dict[str, Any]:
    """Describe what computes.

    Args:
        device: ``cpu``, or ``cuda:0`` and so on.

    Returns:
        Versions of packages, processor, threads, memory and, of a checkout, the commit.
    """
    return {
        "anogan_plugin": __version__,
        "commit": _commit(),
        **{name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "host": platform.node(),
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=True),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
    }


def peak_memory_mib(device: str) -> float:
    """Largest memory that this process had at a time.

    Args:
        device: ``cpu``, or ``cuda:0`` and so on; then it is the memory of the GPU.

    Returns:
        MiB.
    """
    if device.startswith("cuda"):
        return round(torch.cuda.max_memory_allocated(device) / _MIB, 1)
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    unit = 1 if platform.system() == "Darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB, 1)


def images_digest(data: AnomalibDataModule) -> str:
    """Checksum of all images by split, label, name and content.

    Args:
        data: A data module that is set up.

    Returns:
        The first 16 digits of a SHA-256.
    """
    digest = hashlib.sha256()
    for name, split in (
        ("train", data.train_data),
        ("val", data.val_data),
        ("test", data.test_data),
    ):
        labelled = zip(split.samples.image_path, split.samples.label_index, strict=True)
        for path, label in sorted(labelled):
            digest.update(f"{name} {int(label)} {Path(path).name}".encode())
            if Path(path).is_file():  # digits have names, but no files of their own
                digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


def scoring_identity(checkpoint: Path, about: dict[str, Any]) -> str:
    """Checksum of what scores follow from, but for the job's own settings.

    Args:
        checkpoint: The trained weights.
        about: The :func:`environment`, with the checksum of the images. How much of a machine may
            be used has no part in it.

    Returns:
        The first 16 digits of a SHA-256.
    """
    counts = ("host", "cores", "threads", "memory_gib")
    rest = sorted((name, str(value)) for name, value in about.items() if name not in counts)
    digest = hashlib.sha256(repr(rest).encode())
    digest.update(checkpoint.read_bytes())
    return digest.hexdigest()[:16]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _commit() -> str | None:
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return None
    try:
        commit = _git(checkout, "describe", "--always", "--abbrev=10")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if changed else commit


def _git(checkout: Path, *words: str) -> str:
    # `describe --dirty` would write the index, and leave its lock behind where the disk is full.
    command = ["git", "--no-optional-locks", "-C", str(checkout), *words]
    found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    return found.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
