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
from functools import partial
from pathlib import Path

import pandas as pd
from comparison_tables import models
from load_tables import archive, serving
from sklearn.metrics import roc_auc_score, roc_curve

RESULTS = Path(__file__).parent
REPOSITORY = RESULTS.parent


def demo() -> str:
    """What ``make demo`` measured."""
    rows = pd.read_csv(RESULTS / "icmold_quick" / "summary.csv")
    lines = [
        "| model | AUROC | 95 % interval | pixel AUROC | training, s | ms per image |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows.itertuples():
        pixels = "" if pd.isna(row.pixel_auroc_mean) else f"{row.pixel_auroc_mean:.2f}"
        cells = [
            row.model,
            f"{row.auroc_mean:.2f}",
            f"{row.auroc_low:.2f} to {row.auroc_high:.2f}",
            pixels,
            f"{row.train_seconds:.0f}",
            f"{row.ms_batch_1:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


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
                _mean(group.auroc, 3),
                _mean(group.good_residual, 4),
            ]
            lines.append("| " + " | ".join(cells) + " |")
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


def search() -> str:
    """How fast the latent search is, and how near its shortcuts come to the paper's."""
    folder = RESULTS / "latent_search"
    report = json.loads((folder / "speed.json").read_text())
    machine, rows = report["machine"], {row["mode"]: row for row in report["rows"]}
    slow, plain = rows["one_at_a_time"], rows["batched_fp32"]
    lines = [
        f"Speed, {report['subject']} ({report['flops_per_image_step'] / 1e9:.2f} GFLOP per image "
        f"and step), {machine['threads']} threads of {machine['processor']}, matrix product "
        f"{machine['matrix_gflops_bf16']:.0f} GFLOP/s in bf16 and "
        f"{machine['matrix_gflops_fp32']:.0f} in fp32, batch size {report['batch_size']}; "
        "`one_at_a_time` is the loop of public implementations, `batched_fp32` that in batches:",
        "",
        "| mode | ms per image-step | × one_at_a_time | × batched_fp32 | ms per image | "
        "× one_at_a_time | setup, s | of the bf16 peak | MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for mode, row in rows.items():
        step, image = row["ms_per_image_step"], row["ms_per_image"]
        cells = [
            f"`{mode}`",
            f"{step:.2f}",
            f"{slow['ms_per_image_step'] / step:.1f}",
            f"{plain['ms_per_image_step'] / step:.1f}",
            f"{image:,.0f}",
            f"{slow['ms_per_image'] / image:,.0f}",
            f"{row['setup_seconds']:.1f}",
            f"{row['peak_fraction']:.0%}",
            f"{row['rss_mib']:,.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    least = report["flops_per_image_step"] / machine["matrix_gflops_bf16"] / 1e6
    lines += [
        "",
        f"At the whole of the bf16 peak a step would take {least:.2f} ms, "
        f"{plain['ms_per_image_step'] / least:.1f} times less than `batched_fp32`: that bounds "
        "what can be gained on this machine without leaving anything out.",
        "",
        "Agreement with the plain batched search over 500 steps (Spearman's ρ of the scores, "
        "largest relative difference of a score, mean final score over the plain search's):",
        "",
        "| trained on | images | mode | AUROC | AUROC, plain | ρ | difference | score |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for path in sorted(folder.glob("agreement_*.json")):
        report = json.loads(path.read_text())
        plain, *ours = report["rows"]
        for row in ours:
            cells = [
                path.stem.removeprefix("agreement_").replace("_", " "),
                str(row["images"]),
                f"`{row['mode']}`",
                f"{row['auroc']:.3f}",
                f"{plain['auroc']:.3f}",
                f"{row['spearman']:.4f}",
                f"{row['relative_difference']:.2g}",
                f"{row['loss_ratio']:.3f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def export() -> str:
    """How fast exported files score, and how near to the checkpoint."""
    rows = pd.read_csv(RESULTS / "export" / "times.csv")
    first, weights = rows.iloc[0], " and ".join(rows.weights.unique())
    versions = rows.drop_duplicates("runtime").set_index("runtime").version
    untrained = ": right for time and equality, not for scores" if "one epoch" in weights else ""
    lines = [
        f"Processor's time per image, {first.images} images of {first.pixels} × {first.pixels} one "
        f"at a time, {first.threads} thread(s) of {first.processor} beside other programs, all in "
        f"float32; weights: {weights}{untrained}. Differences are the largest over images and "
        "runtimes, of a score relative to it, of a map to its largest value; *itself*: how far "
        "PyTorch's own scores move when its images move by 1e-7.",
        "",
        "| model | "
        + " | ".join(f"{name} {version}, ms" for name, version in versions.items())
        + " | score differs by | map differs by | itself |",
        "|---|" + "---:|" * (len(versions) + 3),
    ]
    for model, group in rows.groupby("model", sort=False):
        times = group.set_index("runtime").processor_ms_per_image[versions.index]
        cells = [
            model,
            *(f"{time:,.1f}" for time in times),
            f"{group.largest_score_difference.max():.1g}",
            f"{group.largest_map_difference.max():.1g}",
            f"{group.own_score_difference.max():.1g}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def histograms() -> str:
    """What 100,000 steps make of the paper's test images."""
    folder = RESULTS / "paper_histograms"
    scores = pd.read_csv(folder / "scores.csv")
    figures = json.loads((folder / "figures.json").read_text())
    proof = figures["proof"]
    before, after = (roc_auc_score(scores.label, scores[name]) for name in ("score_500", "score"))
    overlaps = [_overlap(scores.label, scores[name]) for name in ("score_500", "score")]
    ratios = [
        scores[name][scores.label == 1].mean() / scores[name][scores.label == 0].mean()
        for name in ("score_500", "score")
    ]
    return (
        f"All {len(scores):,} test images of the rendered paper split, one GAN of the default "
        f"preset: {scores.converged.sum():,} stopped before 100,000 steps, after "
        f"{scores.steps.mean():,.0f} on average and {scores.steps.max():,} at most. AUROC "
        f"{before:.3f} after 500 steps and {after:.3f} at the end; the mean score of defects is "
        f"{ratios[0]:.3f} times that of the good images, then {ratios[1]:.3f}; the histograms "
        f"overlap by {overlaps[0]:.0%}, then {overlaps[1]:.0%} (1 − largest TPR − FPR). The mean "
        "score falls by "
        f"{1 - scores.score.mean() / scores.score_500.mean():.1%}. It took "
        f"{figures['minutes']:.0f} minutes with one thread, partly beside other programs.\n"
        f"Going on to step {figures['steps']:,} with {proof['images']} of these images changes "
        f"their scores by {proof['mean_relative_difference']:.1%} on average and "
        f"{proof['largest_relative_difference']:.1%} at most; Spearman's ρ of the two is "
        f"{proof['spearman']:.3f}."
    )


def overlap() -> str:
    """How far the histograms of the comparison on the paper's split overlap."""
    folder = RESULTS / "icmold_paper"
    jobs = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["jobs"]
    found: dict[str, list[float]] = {}
    for job in jobs:
        path = folder / "jobs" / job["folder"] / "scores.parquet"
        if path.exists():
            scores = pd.read_parquet(path)
            test = scores[scores.split == "test"]
            found.setdefault(job["model"], []).append(_overlap(test.label, test.score))
    lines = ["| model | overlap | seeds |", "|---|---:|---:|"]
    for model, shares in sorted(found.items(), key=lambda each: min(each[1])):
        lines.append(f"| {model} | {_mean(pd.Series(shares), 3)} | {len(shares)} |")
    return "\n".join(lines)


def _overlap(labels: pd.Series, scores: pd.Series) -> float:
    """What good images and defects have in common: 1 − the largest TPR − FPR."""
    false, true, _ = roc_curve(labels, scores)
    return 1 - float((true - false).max())


def training_speed() -> str:
    """How fast AnoGAN trains against a plain loop, and whether it learns as well."""
    runs = pd.read_json(RESULTS / "training_speed" / "results.jsonl", lines=True)
    ratio = runs.seconds_plain / runs.seconds_ours
    return (
        f"{len(runs)} seeds, {runs.epochs.iloc[0]} epochs of {runs.images.iloc[0]:,} images, "
        f"{runs.machine.iloc[0]}, epoch by epoch in turn: {_mean(runs.seconds_ours, 1)} s per "
        f"epoch against {_mean(runs.seconds_plain, 1)} s of a plain float32 loop, "
        f"{_mean(ratio, 2)} times as fast; mean |x − G(z)| of held-out good images afterwards "
        f"{_mean(runs.residual_ours, 4)} against {_mean(runs.residual_plain, 4)}."
    )


def _mean(values: pd.Series, digits: int) -> str:
    if len(values) == 1:
        return f"{values.iloc[0]:.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "demo": (REPOSITORY / "README.md", demo),
    "training_speed": (
        REPOSITORY / "anogan_plugin" / "models" / "anogan" / "README.md",
        training_speed,
    ),
    "difficulty": (REPOSITORY / "datasets" / "README.md", difficulty),
    "inspection": (
        REPOSITORY / "anogan_plugin" / "models" / "anogan" / "README.md",
        inspection,
    ),
    "fresh": (
        REPOSITORY / "anogan_plugin" / "models" / "anogan" / "README.md",
        fresh_test_set,
    ),
    "gans": (REPOSITORY / "anogan_plugin" / "models" / "anogan" / "README.md", gans),
    "search": (REPOSITORY / "anogan_plugin" / "latent_search" / "README.md", search),
    "export": (REPOSITORY / "README.md", export),
    "histograms": (REPOSITORY / "anogan_plugin" / "latent_search" / "README.md", histograms),
    "archive": (REPOSITORY / "anogan_plugin" / "archive" / "README.md", archive),
    "serving": (REPOSITORY / "anogan_plugin" / "serving" / "README.md", serving),
    "models": (REPOSITORY / "README.md", models),
    "overlap": (RESULTS / "README.md", overlap),
    **{
        f"results-{model}": (
            REPOSITORY / "anogan_plugin" / "models" / folder / "README.md",
            partial(models, model),
        )
        for model, folder in {
            "ALAD": "alad",
            "ConvAutoencoder": "conv_autoencoder",
            "EfficientGAN": "efficient_gan",
            "FAnoGAN": "f_anogan",
            "PCA": "pca",
            "SupervisedCNN": "supervised_cnn",
            "VAE": "vae",
        }.items()
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
