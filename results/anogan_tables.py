# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of AnoGAN: its GANs, its preset for inspection, and how fast it trains."""

import json

import pandas as pd
from cells import RESULTS, mean_of, row_of


def gans() -> str:
    """How the variants of the GAN compare: mean and sample standard deviation over seeds."""
    runs = _gan_runs()
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
            mean_of(group.good_residual, 4),
            mean_of(group.diversity, 2),
            mean_of(group.auroc_paper, 3),
            mean_of(group.auroc_local, 3),
            f"{len(problems)} of {len(group)}",
        ]
        lines.append(row_of(cells))
    return "\n".join(lines)


def difficulty() -> str:
    """What the two scores of AnoGAN make of the paper's split."""
    runs = _gan_runs()
    group = runs[(runs.data == "icmold") & (runs.variant == "default")]
    return (
        f"Measured on the paper's split, with {len(group)} trained AnoGANs of the default preset: "
        f"AUROC {mean_of(group.auroc_paper, 2)} for the paper's score, "
        f"{mean_of(group.auroc_local, 2)} for the largest local residual of the same "
        "reconstructions."
    )


def _gan_runs() -> pd.DataFrame:
    return pd.read_json(RESULTS / "anogan_gans" / "results.jsonl", lines=True)


def inspection() -> str:
    """What each part of the preset inspection gives."""
    path = RESULTS / "inspection" / "results.jsonl"
    runs = pd.read_json(path, lines=True)
    lines = []
    for data, of_data in runs.groupby("data", sort=False):
        first = of_data.iloc[0]
        lines += [
            f"{data}: {of_data.seed.nunique()} trained GAN(s), {first.test_images} random test "
            f"images, {first.good_images} good images to learn from.",
            "",
            "| steps in the map | score | AUROC | good residual |",
            "|---:|---|---:|---:|",
        ]
        for (steps, score), group in of_data.groupby(["map_steps", "score"], sort=False):
            cells = [
                str(steps),
                score.replace("|", "\\|"),
                mean_of(group.auroc, 3),
                mean_of(group.good_residual, 4),
            ]
            lines.append(row_of(cells))
        lines.append("")
    return "\n".join(lines).rstrip()


def fresh_test_set() -> str:
    """The preset inspection on images that its constants have not seen."""
    text = (RESULTS / "inspection" / "fresh_test_set.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return (
        f"On {found['images']} test images rendered afterwards from another seed, the model "
        f"trained with seed {found['seed']} has an AUROC of {found['auroc']:.3f}; the paper's "
        f"score of the same search {found['auroc_paper']:.3f}."
    )


def training_speed() -> str:
    """How fast AnoGAN trains against a plain loop, and whether it learns as well."""
    runs = pd.read_json(RESULTS / "training_speed" / "results.jsonl", lines=True)
    ratio = runs.seconds_plain / runs.seconds_ours
    return (
        f"{len(runs)} seeds, {runs.epochs.iloc[0]} epochs of {runs.images.iloc[0]:,} images, "
        f"{runs.machine.iloc[0]}, epoch by epoch in turn: {mean_of(runs.seconds_ours, 1)} s per "
        f"epoch against {mean_of(runs.seconds_plain, 1)} s of a plain float32 loop, "
        f"{mean_of(ratio, 2)} times as fast; mean |x − G(z)| of held-out good images afterwards "
        f"{mean_of(runs.residual_ours, 4)} against {mean_of(runs.residual_plain, 4)}."
    )
