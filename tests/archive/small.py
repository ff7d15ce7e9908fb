# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A model of seconds, images whose scores are known, and the command that scores them."""

import contextlib
import io
import os
import resource
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from anomalib.models import AnomalibModule
from lightning.pytorch import Trainer

from anogan_plugin.archive.pipeline import Score
from anogan_plugin.archive.reading import ReadImage, ShardReader
from anogan_plugin.archive.shards import Images
from anogan_plugin.data.image_io import encode_png
from anogan_plugin.latent_search import ImageSource
from anogan_plugin.scoring.scorer import Scored, Scorer
from tests.processes import ANOMALIB

TIMEOUT = 200
HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}
"""Environment in which a process finds the models of these tests."""
_HOW: dict[str, Any] = {
    "env": {**os.environ, **HERE, "COLUMNS": "300"},
    "stdout": subprocess.PIPE,
    "text": True,
}
BRIGHTNESS = "tests.comparison.broken.BrokenModel"
"""A model whose score is the mean of all pixels; its checkpoint does not name it."""


def save_checkpoint(model: AnomalibModule, path: Path) -> Path:
    """Write what a training would leave."""
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(path)
    return path


def grey(level: int, side: int = 8) -> bytes:
    """A PNG of one grey level, whose score is ``level / 255``."""
    return encode_png(np.full((side, side), level, np.uint8))


def write_images(folder: Path, levels: Iterable[int]) -> Path:
    """Write ``00000.png`` and so on, of these grey levels."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        (folder / f"{number:05}.png").write_bytes(grey(level))
    return folder


def write_parquet(file: Path, images: list[Any], rows_in_group: int, **columns: Any) -> Path:
    """Write images into a Parquet file."""
    pq.write_table(pa.table({"image": images, **columns}), file, row_group_size=rows_in_group)
    return file


class Mean(Scorer):
    """Makes the mean of an image, and has nothing to say of it: where images are only read."""

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        return torch.tensor(image.mean())

    def stream(self, images: ImageSource) -> Iterator[Scored]:
        return iter(())


def read(address: Path | str, most: int = 3) -> list[ReadImage]:
    """Read all images in shards of ``most``; their pixels are the mean."""
    images, scorer = Images(str(address)), Mean()
    reader = ShardReader(images, most_pixels=10_000)
    return [image for shard in images.shards(most) for image in reader.read(shard, scorer)]


@dataclass(frozen=True)
class Ended:
    """What came of the command."""

    code: int
    said: str


def arguments(
    images: Path | str, checkpoint: Path, output: Path, *more: str, model: str = BRIGHTNESS
) -> list[str]:
    """The command line of a run with two processes."""
    given = {"images": images, "ckpt_path": checkpoint, "output": output, "model": model}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))] + [
        *("--workers", "2", "--shard", "10"),
        *more,
    ]


def score_here(command: list[str]) -> Ended:
    """Run the command in this process, which has imported everything already."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "300")
        try:
            Score().run(Score.get_parser().parse_args(command))
            code = 0
        except SystemExit as ended:
            code = cast(int, ended.code)
    return Ended(code, printed.getvalue())


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start ``anomalib score``."""
    return subprocess.Popen([ANOMALIB, "score", *command], stderr=subprocess.STDOUT, **_HOW)


def score_on_a_small_disk(command: list[str], largest_file: int) -> Ended:
    """Run ``anomalib score`` where a file can't grow further, as on a disk that is full.

    Args:
        command: Its arguments.
        largest_file: Bytes.
    """
    ended = subprocess.run(
        [ANOMALIB, "score", *command],
        **_HOW,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file,) * 2),
    )
    return Ended(ended.returncode, ended.stdout)


def rows(output: Path) -> pd.DataFrame:
    """All rows, in the order of the images."""
    return pd.read_parquet(output)


def brightness(levels: Iterable[int]) -> np.ndarray:
    """What images of these grey levels score."""
    return (torch.tensor(list(levels)).float() / 255).double().numpy()
