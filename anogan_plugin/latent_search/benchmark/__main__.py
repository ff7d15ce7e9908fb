# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``python -m anogan_plugin.latent_search.benchmark``: how fast the latent search is here."""

import argparse
import dataclasses
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from anogan_plugin.latent_search.benchmark.measure import (
    BASELINES,
    MODES,
    PAPER_STEPS,
    Benchmark,
    Row,
)
from anogan_plugin.latent_search.benchmark.subject import Subject, stand_in, trained

_COLUMNS = {
    "mode": ("mode", "{}"),
    "images": ("images", "{}"),
    "ms/step": ("ms_per_image_step", "{:.2f}"),
    "ms/image": ("ms_per_image", "{:,.0f}"),
    "setup s": ("setup_seconds", "{:.1f}"),
    "AUROC": ("auroc", "{:.3f}"),
    "ρ": ("spearman", "{:.3f}"),
    "loss": ("loss_ratio", "{:.3f}"),
    "peak": ("peak_fraction", "{:.0%}"),
    "MiB": ("rss_mib", "{:,.0f}"),
}

_FEWEST = 2


def main(arguments: list[str] | None = None) -> None:
    """Time the latent search against the ways it is usually written.

    Everything runs in one process on the same networks and images. one_at_a_time is the loop of
    public implementations, on few images: gradients to the weights as well, f(x) in every step.
    batched_fp32 takes a batch at once and asks for the gradient of z alone, with plain
    autograd; it is the reference of AUROC, rank correlation and loss. The other modes compute in
    bfloat16 where the machine has instructions for it, but for those named fp32. Leave the machine
    to it: what else runs on it is measured too.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if min(options.images, options.slow_images) < _FEWEST:
        parser.error(f"--images and --slow-images must be at least {_FEWEST}: one of each label")
    if (options.checkpoint is None) != (options.data is None):
        parser.error("--checkpoint and --data belong together: give both, or neither")
    torch.set_num_threads(options.threads)
    console = Console()
    subject = _subject(options)
    benchmark = Benchmark(subject, options.batch_size)
    console.print(f"{subject.description}: {len(subject.images)} images, {options.threads} threads")
    rows = []
    for row in _rows(benchmark, options, console):
        rows.append(row)
        if options.json is not None:  # after every row: an interruption loses none
            _write(options.json, benchmark, options, rows)
    console.print(_table(rows, subject.description))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anogan_plugin.latent_search.benchmark", description=main.__doc__
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--checkpoint", type=Path, help="AnoGAN's; without it random weights")
    parser.add_argument("--data", type=Path, help="root of the data module of the checkpoint")
    parser.add_argument(
        "--kind", choices=("ICMold", "OneClassDigits"), default="ICMold", help="the data module"
    )
    parser.add_argument("--digit", type=int, default=1, help="the good one of OneClassDigits")
    parser.add_argument("--width", type=int, default=64, help="width of the random networks")
    parser.add_argument("--images", type=int, default=64, help="images, half of them anomalous")
    parser.add_argument(
        "--slow-images", type=int, default=8, help="images of one_at_a_time: it takes long"
    )
    parser.add_argument("--batch-size", type=int, default=32, help="images at once")
    parser.add_argument(
        "--modes",
        nargs="+",
        choices=("one_at_a_time", *MODES),
        default=["one_at_a_time", *MODES],
        help="what to measure beside batched_fp32",
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


def _subject(options: argparse.Namespace) -> Subject:
    if options.checkpoint is None:
        return stand_in(options.images, options.width)
    return trained(options.checkpoint, options.data, options.kind, options.images, options.digit)


def _rows(benchmark: Benchmark, options: argparse.Namespace, console: Console) -> Iterator[Row]:
    with console.status("batched_fp32, the reference") as status:
        yield benchmark.reference()
        for mode in options.modes:
            status.update(mode)
            if mode in BASELINES:
                yield benchmark.baseline(mode, min(options.slow_images, options.images))
            else:
                yield benchmark.ours(mode)


def _write(path: Path, benchmark: Benchmark, options: argparse.Namespace, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": options.threads,
            "torch": torch.__version__,
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "matrix_gflops_bf16": benchmark.peak / 1e9,
            "matrix_gflops_fp32": benchmark.peak_fp32 / 1e9,
        },
        "subject": benchmark.subject.description,
        "flops_per_image_step": benchmark.flops(),
        "paper_steps": PAPER_STEPS,
        "batch_size": benchmark.batch_size,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    path.write_text(json.dumps(report, indent=2) + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _table(rows: list[Row], title: str) -> Table:
    table = Table(
        title=title,
        caption="ms/step: per image and step; ρ, loss: against batched_fp32; peak: of a matrix "
        "product in bf16",
    )
    for name in _COLUMNS:
        table.add_column(name, min_width=max(map(len, MODES)) if name == "mode" else None)
    for row in rows:
        table.add_row(*(text.format(getattr(row, field)) for field, text in _COLUMNS.values()))
    return table


if __name__ == "__main__":
    main()
