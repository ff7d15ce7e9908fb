# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of the latent search: its speed, and what 100,000 steps of it find."""

import json

import pandas as pd
from cells import RESULTS, overlap_of, row_of
from sklearn.metrics import roc_auc_score


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
        lines.append(row_of(cells))
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
            lines.append(row_of(cells))
    return "\n".join(lines)


def histograms() -> str:
    """What 100,000 steps make of the paper's test images."""
    folder = RESULTS / "paper_histograms"
    scores = pd.read_csv(folder / "scores.csv")
    figures = json.loads((folder / "figures.json").read_text())
    proof = figures["proof"]
    before, after = (roc_auc_score(scores.label, scores[name]) for name in ("score_500", "score"))
    overlaps = [overlap_of(scores.label, scores[name]) for name in ("score_500", "score")]
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
