# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Write the tables of the READMEs from the files in this folder: no number is ever typed.

    python results/update_readmes.py            # after new results
    python results/update_readmes.py --check    # in CI: fails if a README is out of date

A table stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent
REPOSITORY = RESULTS.parent


def demo() -> str:
    """What ``make demo`` measured."""
    figures = json.loads((RESULTS / "demo" / "figures.json").read_text())
    aurocs = figures["image_auroc"]
    return (
        f"This run took {figures['minutes']} minutes on {figures['machine']}. On its "
        f"{figures['good_images']} good and {figures['defect_images']} short-filled test images "
        f"the paper's score has an AUROC of {aurocs['paper']:.2f}, the largest local residual of "
        f"the same reconstructions {aurocs['local']:.2f}."
    )


def gans() -> str:
    """How the variants of the GAN compare: mean and sample standard deviation over seeds."""
    runs = pd.read_json(RESULTS / "anogan_gans" / "results.jsonl", lines=True)
    lines = [
        "| data | GAN | seeds | epochs | good residual | diversity | AUROC, paper | AUROC, local | "
        "ended early |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    repeated = runs[runs.duplicated(["data", "variant", "seed"])]
    if len(repeated):
        raise ValueError(f"results.jsonl has runs twice: {repeated[['data', 'variant', 'seed']]}")
    for (data, variant), group in runs.groupby(["data", "variant"], sort=False):
        problems = group.problem.dropna()
        cells = [
            data,
            variant,
            str(len(group)),
            str(group.epochs.iloc[0]),
            _mean(group.good_residual, 4),
            _mean(group.diversity, 2),
            _mean(group.auroc_paper, 3),
            _mean(group.auroc_local, 3),
            f"{len(problems)} of {len(group)}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def difficulty() -> str:
    """What the two scores of AnoGAN make of the paper's split."""
    runs = pd.read_json(RESULTS / "anogan_gans" / "results.jsonl", lines=True)
    group = runs[(runs.data == "icmold") & (runs.variant == "default")]
    return (
        f"Measured on the paper's split, with {len(group)} trained AnoGANs of the default preset: "
        f"AUROC {_mean(group.auroc_paper, 2)} for the paper's score, "
        f"{_mean(group.auroc_local, 2)} for the largest local residual of the same reconstructions."
    )


def _mean(values: pd.Series, digits: int) -> str:
    if len(values) == 1:
        return f"{values.iloc[0]:.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "demo": (REPOSITORY / "README.md", demo),
    "difficulty": (REPOSITORY / "datasets" / "README.md", difficulty),
    "gans": (REPOSITORY / "anogan_plugin" / "models" / "anogan" / "README.md", gans),
}


def updated(text: str, name: str, table: str) -> str:
    """Replace one table in a README.

    Args:
        text: The README.
        name: Name of the table.
        table: What it should be.

    Raises:
        ValueError: If the README has no such markers.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"found no {begin} … {end} to put the table between")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def main() -> int:
    """Write or check every table; 1 if a check found one out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    check = parser.parse_args().check
    stale = 0
    for name, (readme, table) in TABLES.items():
        old = readme.read_text(encoding="utf-8")
        new = updated(old, name, table())
        if new == old:
            continue
        stale += 1
        if check:
            print(f"{readme}: table {name} is out of date: run python results/update_readmes.py")
        else:
            readme.write_text(new, encoding="utf-8")
            print(f"{readme}: table {name} written")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
