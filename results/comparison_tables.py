# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of models, from the comparisons that are kept here."""

import json

import pandas as pd
from cells import RESULTS, mean_of, overlap_of, row_of

COMPARISONS = {
    "icmold_paper": "rendered IC mould",
    "chip_photographs": "DIP photographs, painted defects, mean of four",
    "mnist_one_class": "one-class MNIST, mean of ten",
    "digits_one_class": "one-class digits, mean of ten",
}
"""Folders of comparisons with the headings of their columns; the first one's costs are shown."""
_NOT_MEASURED = "Not measured yet."


def models(class_name: str | None = None, *, all_scores: bool = True) -> str:
    """AUROC by model and data, with what it costs.

    Args:
        class_name: For the rows of one model only.
        all_scores: Whether all of a model's other scores have rows, behind its own score's, or
            ``standardised`` alone.

    Returns:
        A table in Markdown. A mean over data sets is given only where all of them are done, a row
        or a column only where something is.
    """
    found = {folder: _summary(folder) for folder in COMPARISONS}
    found = {f: table[table.on_all] for f, table in found.items() if len(table)}
    if class_name is not None:
        found = {f: table[table.class_name == class_name] for f, table in found.items()}
    if not all_scores:
        found = {f: t[~t.model.str.contains(" · (?!standardised)")] for f, t in found.items()}
    found = {f: table for f, table in found.items() if len(table)}
    names = list(dict.fromkeys(name for table in found.values() for name in table.model))
    if not names:
        return _NOT_MEASURED
    costs = ["training, min", "ms/image", "parameters, M"]
    heads = ["model", *(COMPARISONS[f] for f in found), *costs]
    lines = [row_of(heads), "|---|" + "---:|" * (len(heads) - 1)]
    for name in names:
        of_name = {folder: table[table.model == name] for folder, table in found.items()}
        aurocs = [_auroc(table) for table in of_name.values()]
        lines.append(row_of([name, *aurocs, *_costs(of_name)]))
    return "\n".join(lines)


def rendered() -> str:
    """How AnoGAN's preset for inspection stands to other reconstructions by the same score."""
    ours, same = "AnoGAN, inspection", " · standardised"
    summary = pd.read_csv(RESULTS / "icmold_paper" / "summary.csv").dropna(subset="auroc_mean")
    aurocs = summary.set_index("model").auroc_mean.sort_values(ascending=False)
    pairs = pd.read_csv(RESULTS / "icmold_paper" / "comparisons.csv")
    p_holm = {
        frozenset(names): p
        for *names, p in pairs[["first", "second", "p_holm"]].itertuples(index=False)
    }
    said = []
    for name, auroc in aurocs.items():
        if name == "PCA" or str(name).endswith(same):
            apart = p_holm[frozenset((ours, name))] < 0.05
            way = "lower" if auroc < aurocs[ours] else "higher"
            note = f" (significantly {way})" if apart else ""
            said.append(f"{str(name).removesuffix(same)} {auroc:.3f}{note}")
    return (
        f"By that same score, on the rendered set: AnoGAN's `inspection` {aurocs[ours]:.3f}; "
        f"{'; '.join(said)}. Significance is after Holm; most rows are of one seed, so that it is "
        "of two trainings rather than of two methods."
    )


def photographs() -> str:
    """How AnoGAN's preset for inspection stands on photographs."""
    ours, rivals = "AnoGAN, inspection", ("PaDiM", "PatchCore, 128 pixels", "PatchCore, 256 pixels")
    summary = pd.read_csv(RESULTS / "chip_photographs" / "summary.csv")
    aurocs = summary.pivot(index="data", columns="model", values="auroc_mean")
    behind = int((aurocs[list(rivals)].max(axis=1) > aurocs[ours]).sum())
    images = summary[["good_images", "anomalous_images"]].iloc[0]
    pairs = pd.read_csv(RESULTS / "chip_photographs" / "comparisons.csv")
    of_both = [
        {first, second} for first, second in zip(pairs["first"], pairs["second"], strict=True)
    ]
    pairs = pairs[[ours in both and bool(both & {*rivals, "PCA"}) for both in of_both]]
    significant = int((pairs.p_holm < 0.05).sum())
    return (
        f"On photographs, features from ImageNet (PatchCore, PaDiM) are ahead of AnoGAN's preset "
        f"`inspection` on {behind} of {len(aurocs)} part numbers; with {images.good_images:.0f} "
        f"good and {images.anomalous_images:.0f} painted test images each, {significant} of its "
        f"{len(pairs)} differences to them and to PCA are significant after Holm."
    )


def beside_features() -> str:
    """AnoGAN's preset for inspection beside what it has to beat, data set by data set."""
    heads = ["images", "model", "seeds", "AUROC", "overkill", "escape", "a90, %", "a90/95, %"]
    lines = [row_of(heads), "|---|---|" + "---:|" * (len(heads) - 2)]
    for folder in ("icmold_paper", "chip_photographs"):
        sizes = pd.read_csv(RESULTS / folder / "detection.csv")
        table = _summary(folder).merge(sizes, on=["data", "model", "seeds_done"])
        ours = (table.model == "AnoGAN, inspection") | (table.model == "PCA")
        for row in table[ours | table.class_name.isin(["Padim", "Patchcore"])].itertuples():
            spread = "" if pd.isna(row.auroc_sd) else f" ± {row.auroc_sd:.3f}"
            shares = [f"{share:.2f}" for share in (row.overkill_mean, row.escape_mean)]
            # A mean over some of the seeds would look better than it is.
            found = [
                f"{size:.1f}" if seeds == row.seeds_done else "–"
                for size, seeds in (
                    (row.a90, row.seeds_with_a90),
                    (row.a90_95, row.seeds_with_a90_95),
                )
            ]
            head = [row.data, row.model, str(row.seeds_done), f"{row.auroc_mean:.3f}{spread}"]
            lines.append(row_of([*head, *shares, *found]))
    return "\n".join(lines)


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
        lines.append(row_of(cells))
    return "\n".join(lines)


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
            found.setdefault(job["model"], []).append(overlap_of(test.label, test.score))
    lines = ["| model | overlap | seeds |", "|---|---:|---:|"]
    for model, shares in sorted(found.items(), key=lambda each: min(each[1])):
        lines.append(f"| {model} | {mean_of(pd.Series(shares), 3)} | {len(shares)} |")
    return "\n".join(lines)


def _summary(folder: str) -> pd.DataFrame:
    path = RESULTS / folder / "summary.csv"
    if not path.exists():
        return pd.DataFrame()
    summary = pd.read_csv(path)
    # A mean over some of the data sets is of others than the rows beside it are of.
    done_on = summary.dropna(subset="auroc_mean").groupby("model").data.nunique()
    whole = summary.model.map(done_on) == summary.data.nunique()
    summary = summary.assign(on_all=whole).dropna(subset="auroc_mean")
    jobs = json.loads((RESULTS / folder / "comparison.json").read_text(encoding="utf-8"))["jobs"]
    classes = {job["model"]: job["class_name"] for job in jobs}
    return summary.assign(class_name=summary.model.str.partition(" · ")[0].map(classes))


def _auroc(rows: pd.DataFrame) -> str:
    """Mean over the data sets of a comparison, with the seeds that are done."""
    if not len(rows):
        return ""
    deviation = rows.auroc_sd.iloc[0] if len(rows) == 1 else float("nan")
    spread = "" if pd.isna(deviation) else f" ± {deviation:.3f}"
    seeds = int(rows.seeds_done.min())
    return f"{rows.auroc_mean.mean():.3f}{spread} ({seeds} seed{'s' if seeds > 1 else ''})"


def _costs(of_name: dict[str, pd.DataFrame]) -> list[str]:
    """Of the first comparison; time per image of another one of the same network, if need be."""
    done = [table for table in of_name.values() if len(table)]
    first = done[0]
    alike = [table for table in done if table.parameters.mean() == first.parameters.mean()]
    timed = (table.ms_batch_1 for table in alike if table.ms_batch_1.notna().any())
    minutes, parameters = first.train_seconds / 60, first.parameters / 1e6
    return [
        _short(minutes),
        _short(next(timed, first.ms_batch_1)),
        f"{parameters.mean():.2f}",
    ]


def _short(values: pd.Series) -> str:
    mean = values.mean()
    return "" if pd.isna(mean) else f"{mean:.0f}" if mean >= 10 else f"{mean:.2g}"
