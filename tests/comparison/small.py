# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A comparison of seconds, and the command that runs it."""

import contextlib
import io
import json
import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from anogan_plugin.comparison.pipeline import Compare
from tests.processes import ANOMALIB

TIMEOUT = 100
HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}
"""Environment in which a process finds the models of these tests."""


def small_comparison(root: Path) -> dict[str, Any]:
    """An autoencoder on 32 x 32 images."""
    return {
        "seeds": [0],
        "trainer": {"max_epochs": 1},
        "data": [
            {
                "class_path": "ICMold",
                "name": "moulds",
                "init_args": {"root": str(root), "train_batch_size": 8},
            }
        ],
        "models": [
            {
                "class_path": "ConvAutoencoder",
                "init_args": {"image_size": 32, "width": 4, "latent_size": 8},
            }
        ],
    }


def write(path: Path, configuration: dict[str, Any]) -> Path:
    """Write a configuration as YAML."""
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))
    return path


def compare(
    config: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    largest_file: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``anomalib compare`` in the folder of the configuration, whatever its exit code.

    Args:
        config: The configuration; results are in ``out`` beside it.
        *arguments: More of the command line.
        environment: Variables to add.
        largest_file: Bytes after which a file can't grow, as on a disk that is full.
    """
    size = resource.RLIM_INFINITY if largest_file is None else largest_file
    return subprocess.run(
        _command(config, *arguments),
        **_how(config, environment),
        stderr=subprocess.PIPE,
        timeout=TIMEOUT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@dataclass(frozen=True)
class Ended:
    """What came of a comparison."""

    code: int
    said: str


def compare_here(config: Path, *arguments: str) -> Ended:
    """Do what :func:`compare` does in this process, which has imported everything already."""
    command = ["--config", str(config), "--output", str(config.parent / "out"), *arguments]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        try:
            Compare().run(Compare.get_parser().parse_args(command))
            code = 0
        except SystemExit as ended:
            code = cast(int, ended.code)
    return Ended(code, printed.getvalue())


def start(
    config: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start ``anomalib compare``, in a session of its own: see :func:`compare`."""
    return subprocess.Popen(
        _command(config, *arguments),
        **_how(config, environment),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _command(config: Path, *arguments: str) -> list[str | Path]:
    return [ANOMALIB, "compare", "--config", config, "--output", config.parent / "out", *arguments]


def _how(config: Path, environment: dict[str, str] | None) -> dict[str, Any]:
    env = {**os.environ, "COLUMNS": "200", **(environment or {})}
    return {"cwd": config.parent, "env": env, "stdout": subprocess.PIPE, "text": True}


def broken(name: str, how: str, **more: Any) -> dict[str, Any]:
    """A model of the comparison that fails."""
    return {
        "class_path": "tests.comparison.broken.BrokenModel",
        "name": name,
        "init_args": {"how": how, **more},
    }


def jobs_of(config: Path) -> dict[str, Path]:
    """Folder of each job of the last call, by the model's name."""
    out = config.parent / "out"
    listed = json.loads((out / "comparison.json").read_text())["jobs"]
    return {job["model"]: out / "jobs" / job["folder"] for job in listed}
