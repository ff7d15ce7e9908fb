# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Write the tables of the READMEs from the files in this folder: no number is ever typed.

    python results/update_readmes.py            # after new results
    python results/update_readmes.py --check    # in CI: fails if a README is out of date

A table stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
"""

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anogan_tables import difficulty, fresh_test_set, gans, inspection, training_speed
from cells import RESULTS
from comparison_tables import (
    beside_features,
    demo,
    models,
    overlap,
    photographs,
    rendered,
)
from digit_tables import bundled_digits, mnist
from load_tables import archive, export, serving
from search_tables import histograms, search

REPOSITORY = RESULTS.parent
README, PACKAGE = REPOSITORY / "README.md", REPOSITORY / "anogan_plugin"
MODELS, SEARCH = PACKAGE / "models", PACKAGE / "latent_search" / "README.md"
ANOGAN = MODELS / "anogan" / "README.md"
FOLDERS = {
    "ALAD": "alad",
    "AnoGAN": "anogan",
    "ConvAutoencoder": "conv_autoencoder",
    "EfficientGAN": "efficient_gan",
    "FAnoGAN": "f_anogan",
    "PCA": "pca",
    "SupervisedCNN": "supervised_cnn",
    "VAE": "vae",
}
"""Of the models whose README has their rows alone."""

TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "demo": (README, demo),
    "training_speed": (ANOGAN, training_speed),
    "difficulty": (REPOSITORY / "datasets" / "README.md", difficulty),
    "inspection": (ANOGAN, inspection),
    "fresh": (ANOGAN, fresh_test_set),
    "gans": (ANOGAN, gans),
    "search": (SEARCH, search),
    "export": (README, export),
    "histograms": (SEARCH, histograms),
    "archive": (PACKAGE / "archive" / "README.md", archive),
    "serving": (PACKAGE / "serving" / "README.md", serving),
    "models": (README, partial(models, all_scores=False)),
    "scores": (RESULTS / "README.md", models),
    "photographs": (README, photographs),
    "rendered": (README, rendered),
    "mnist": (RESULTS / "README.md", mnist),
    "digits": (RESULTS / "README.md", bundled_digits),
    "features": (RESULTS / "README.md", beside_features),
    "overlap": (RESULTS / "README.md", overlap),
    **{
        f"results-{model}": (MODELS / folder / "README.md", partial(models, model))
        for model, folder in FOLDERS.items()
    },
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
        if check and name == "demo" and (RESULTS / "icmold_quick" / "jobs").exists():
            print("table demo not checked: `make demo` has run here")
            continue
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
