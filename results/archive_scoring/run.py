# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Load test of ``anomalib score``: many small images, memory watched, killed on the way.

Makes images in Parquet files, of which some can't be read, and a small autoencoder with random
weights, whose scores take as long as a trained one's. Scores them at one go; scores them into
another folder, killing the command with all its processes at a third of the way, and goes on;
checks that both have the same rows, one for each image. Prints what 10^8 images would cost at that
rate, and, if the rows are right, leaves ``measured.json`` and ``memory.csv`` (of the run at one go)
beside this file. Leave the machine to it. Example, of one core:

    taskset -c 0 python results/archive_scoring/run.py --work /tmp/archive --workers 1
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from lightning.pytorch import Trainer

from anogan_plugin import ConvAutoencoder
from anogan_plugin.comparison.environment import environment
from anogan_plugin.data.image_io import encode_png
from anogan_plugin.processes import available_cores

HERE = Path(__file__).parent
MODEL = {"image_size": 32, "width": 8, "latent_size": 16}
IMAGES_IN_FILE = 5_000
UNREADABLE_EVERY = 1_000
MANY = 10**8
MIB = 1 << 20


def make_archive(folder: Path, images: int) -> None:
    """Write Parquet files of grey 32 x 32 PNGs; every thousandth is truncated."""
    draws = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for first in range(0, images, IMAGES_IN_FILE):
        numbers = range(first, min(first + IMAGES_IN_FILE, images))
        encoded = []
        for number in numbers:
            pixels = draws.integers(90, 160, (4, 4), np.uint8).repeat(8, 0).repeat(8, 1)
            png = encode_png(pixels + draws.integers(0, 30, (32, 32), np.uint8))
            encoded.append(png[:-40] if number % UNREADABLE_EVERY == 0 else png)
        paths = [f"line/{number:09}.png" for number in numbers]
        table = pa.table({"path": paths, "image": encoded})
        pq.write_table(table, folder / f"{first:09}.parquet", row_group_size=1_000)


def make_checkpoint(path: Path) -> None:
    """Write what a training would leave."""
    torch.manual_seed(0)
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(ConvAutoencoder(**MODEL))
    trainer.save_checkpoint(path)


def command(work: Path, output: str, workers: int) -> list[str]:
    """The command under test."""
    return [
        *(str(Path(sys.executable).parent / "anomalib"), "score"),
        *("--ckpt_path", str(work / "model.ckpt"), "--images", str(work / "images")),
        *("--output", str(work / output), "--workers", str(workers)),
    ]


def start(work: Path, output: str, workers: int) -> subprocess.Popen[bytes]:
    """Start it; what it prints goes to ``log.txt``."""
    with (work / "log.txt").open("ab") as log:
        return subprocess.Popen(command(work, output, workers), stdout=log, stderr=log)


def watch(process: subprocess.Popen[bytes], scores: Path, until: int) -> pd.DataFrame:
    """Note, each second, files written and memory, until so many are there or it ends."""
    begin, seen = time.perf_counter(), []
    while process.poll() is None:
        files = len(list(scores.glob("part-*.parquet")))
        seconds = round(time.perf_counter() - begin, 2)
        seen.append({"seconds": seconds, "files": files, **memory_mib(process.pid)})
        if files >= until:
            break
        time.sleep(1)
    if process.returncode:
        raise SystemExit((scores.parent / "log.txt").read_text()[-2000:])
    return pd.DataFrame(seen)


def memory_mib(pid: int) -> dict[str, float]:
    """Memory of a process and its children.

    Returns:
        ``resident``, where what they share is counted in each; ``proportional``, where it is shared
        out, among other programs, too.
    """
    resident = proportional = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        main = psutil.Process(pid)
        for process in [main, *main.children(recursive=True)]:
            memory = process.memory_full_info()
            resident, proportional = resident + memory.rss, proportional + memory.pss
    return {
        "resident": round(resident / MIB, 1),
        "proportional": round(proportional / MIB, 1),
    }


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command with all its processes."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for child in children:
        if child.is_running():
            child.kill()
    psutil.wait_procs(children)


def check(work: Path, images: int) -> dict[str, Any]:
    """Both runs have one row for each image, and those that can't be read say so."""
    table, resumed = (pd.read_parquet(work / name) for name in ("scores", "resumed"))
    expected = [f"line/{number:09}.png" for number in range(images)]
    lost = table[table.error.notna()]
    return {
        "rows": len(table),
        "each_image_once_and_in_order": table.path.tolist() == expected,
        "same_rows_after_the_kill": resumed.path.tolist() == expected
        and resumed.error.equals(table.error),
        "same_scores_after_the_kill": resumed.equals(table),
        "unreadable": len(lost),
        "unreadable_are_the_truncated_ones": lost.path.tolist() == expected[::UNREADABLE_EVERY],
        "scores_are_numbers": bool(np.isfinite(table.score[table.error.isna()]).all()),
    }


def estimate(measured: dict[str, Any]) -> dict[str, float]:
    """What 10^8 images cost at the measured rate."""
    core_hours = MANY / measured["images_per_second"] * measured["workers"] / 3600
    return {
        "images": MANY,
        "core_hours": core_hours,
        "hours_on_64_cores": core_hours / 64,
        "output_gb": MANY * measured["bytes_per_row"] / 1e9,
        "input_gb": MANY * measured["bytes_per_image"] / 1e9,
    }


def rate(seen: pd.DataFrame, images: int, files: int) -> float:
    """Images per second between the first file that was seen and the last."""
    begun, last = (seen[seen.files >= least].iloc[0] for least in (1, seen.files.max()))
    return (last.files - begun.files) / files * images / (last.seconds - begun.seconds)


def memory(seen: pd.DataFrame) -> dict[str, Any]:
    """Memory between the first file and the last, and how much it has grown."""
    steady = seen[(seen.files > 0) & (seen.files < seen.files.max())]
    quarter = len(steady) // 4 + 1
    return {
        kind: {
            "most": steady[kind].max(),
            "median_by_quarters": [
                round(steady[kind][first : first + quarter].median(), 1)
                for first in range(0, len(steady), quarter)
            ],
        }
        for kind in ("resident", "proportional")
    }


def size(folder: Path) -> int:
    """Bytes of the Parquet files in a folder."""
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))


def keep(measured: dict[str, Any], at_one_go: pd.DataFrame) -> None:
    """Print what was measured; write it if all rows are right."""
    print(json.dumps(measured, indent=1))
    if not all(measured["check"].values()):
        raise SystemExit("a row is missing, there twice, or wrong: nothing is written")
    (HERE / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
    at_one_go.to_csv(HERE / "memory.csv", index=False)


def main() -> None:
    """Run the load test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for images and scores")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    work, images, workers = options.work, options.images, options.workers
    for name in ("images", "scores", "resumed"):
        shutil.rmtree(work / name, ignore_errors=True)
    make_archive(work / "images", images)
    make_checkpoint(work / "model.ckpt")
    files = sum(-(-pq.read_metadata(p).num_rows // 1024) for p in (work / "images").glob("*"))
    load = os.getloadavg()[0]
    at_one_go = watch(start(work, "scores", workers), work / "scores", until=files + 1)
    killed = start(work, "resumed", workers)
    watch(killed, work / "resumed", until=files // 3)
    kill(killed)
    killed_after = len(list((work / "resumed").glob("part-*.parquet")))
    watch(start(work, "resumed", workers), work / "resumed", until=files + 1)
    measured = {
        "images": images,
        "workers": workers,
        "cores": available_cores(),
        "other_load": round(load, 1),
        "processor": environment("cpu")["processor"],
        "torch": torch.__version__,
        "model": {"name": "ConvAutoencoder", **MODEL},
        "images_per_second": rate(at_one_go, images, files),
        "memory_mib": memory(at_one_go),
        "files": files,
        "killed_after_files": killed_after,
        "bytes_per_image": size(work / "images") / images,
        "bytes_per_row": size(work / "scores") / images,
        "check": check(work, images),
    }
    measured["estimate"] = estimate(measured)
    keep(measured, at_one_go)


if __name__ == "__main__":
    main()
