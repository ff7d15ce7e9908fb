# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Load test of ``anomalib score``: many small images, killed on the way, memory watched.

Makes images in Parquet files, of which some can't be read, and a small autoencoder with random
weights, whose scores take as long as a trained one's. Scores them; kills the command once with all
its processes; goes on; checks that every image has one row. Leaves ``measured.json`` beside this
file, and prints what 10^8 images would cost at that rate. Leave the machine to it. Examples:

    python results/archive_scoring/run.py --work /tmp/archive --images 100000
    taskset -c 0 python results/archive_scoring/run.py --work /tmp/archive --workers 1
"""

import argparse
import json
import os
import platform
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


def command(work: Path, workers: int) -> list[str]:
    """The command under test."""
    model = [word for name, value in MODEL.items() for word in (f"--model.{name}", str(value))]
    return [
        *(str(Path(sys.executable).parent / "anomalib"), "score"),
        *("--model", "ConvAutoencoder", *model, "--ckpt_path", str(work / "model.ckpt")),
        *("--images", str(work / "images"), "--output", str(work / "scores")),
        *("--workers", str(workers)),
    ]


def watch(process: subprocess.Popen[bytes], scores: Path, until: int) -> list[dict[str, float]]:
    """Note, each second, files written and memory, until so many are there or it ends."""
    begin, seen = time.perf_counter(), []
    while process.poll() is None:
        files = len(list(scores.glob("part-*.parquet")))
        memory = memory_mib(process.pid)
        seconds = round(time.perf_counter() - begin, 2)
        seen.append({"seconds": seconds, "files": files, "memory_mib": memory})
        if files >= until:
            break
        time.sleep(1)
    return seen


def memory_mib(pid: int) -> float:
    """Memory of a process and its children; what they share is counted once."""
    total = 0
    try:
        main = psutil.Process(pid)
        for process in [main, *main.children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.NoSuchProcess:
        pass
    return round(total / MIB, 1)


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
    """Every image has one row, and those that can't be read say so."""
    table = pd.read_parquet(work / "scores")
    expected = [f"line/{number:09}.png" for number in range(images)]
    unreadable = table.path.iloc[::UNREADABLE_EVERY]
    lost = table[table.error.notna()]
    return {
        "rows": len(table),
        "each_image_once_and_in_order": table.path.tolist() == expected,
        "unreadable": len(lost),
        "unreadable_are_the_truncated_ones": lost.path.tolist() == unreadable.tolist(),
        "scores_are_numbers": bool(np.isfinite(table.score[table.error.isna()]).all()),
        "bytes_per_row": sum(p.stat().st_size for p in (work / "scores").glob("*")) / len(table),
    }


def estimate(measured: dict[str, Any]) -> dict[str, float]:
    """What 10^8 images cost at the measured rate."""
    per_core = measured["images_per_second"] / measured["workers"]
    return {
        "images": MANY,
        "core_hours": MANY / per_core / 3600,
        "hours_on_64_cores": MANY / per_core / 3600 / 64,
        "output_gb": MANY * measured["check"]["bytes_per_row"] / 1e9,
        "input_gb": MANY * measured["bytes_per_image"] / 1e9,
    }


def rate(seen: list[dict[str, float]], images: int, files: int) -> float:
    """Images per second between the first file that was seen and the last."""
    begun = next(moment for moment in seen if moment["files"] > seen[0]["files"])
    scored = (seen[-1]["files"] - begun["files"]) / files * images
    return scored / (seen[-1]["seconds"] - begun["seconds"])


def main() -> None:
    """Run the load test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for images and scores")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    work, images = options.work, options.images
    shutil.rmtree(work / "scores", ignore_errors=True)
    if not (work / "images").exists():
        make_archive(work / "images", images)
    make_checkpoint(work / "model.ckpt")
    files = sum(-(-pq.read_metadata(p).num_rows // 1024) for p in (work / "images").glob("*"))
    run = command(work, options.workers)
    with (work / "log.txt").open("wb") as log:
        first = subprocess.Popen(run, stdout=log, stderr=log)
        before = watch(first, work / "scores", until=files // 3)
        kill(first)
        second = subprocess.Popen(run, stdout=log, stderr=log)
        after = watch(second, work / "scores", until=files + 1)
    if second.returncode:
        raise SystemExit((work / "log.txt").read_text()[-2000:])
    # A last look, because the command ends between two of them.
    after[-1]["files"] = files
    steady = [moment["memory_mib"] for moment in after if moment["files"] > before[-1]["files"]]
    half = len(steady) // 2
    measured = {
        "images": images,
        "workers": options.workers,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "model": MODEL,
        "images_per_second": rate(after, images, files),
        "memory_mib": {
            "most": max(steady),
            "median_of_first_half": float(np.median(steady[:half])),
            "median_of_second_half": float(np.median(steady[half:])),
        },
        "killed_after_files": before[-1]["files"],
        "files": files,
        "bytes_per_image": sum(p.stat().st_size for p in (work / "images").glob("*")) / images,
        "check": check(work, images),
        "over_time": {"until_killed": before, "until_done": after},
    }
    measured["estimate"] = estimate(measured)
    (HERE / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
    print(json.dumps({k: v for k, v in measured.items() if k != "over_time"}, indent=1))


if __name__ == "__main__":
    main()
