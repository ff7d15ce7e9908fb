# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One-class digits: each digit's AUROC and their mean, beside published rows."""

import pandas as pd
from cells import RESULTS, row_of

_DIGITS = [f"digit {digit}" for digit in range(10)]
# Image AUROC in %; AnoGAN's as in Table 1 of Shi & Zhang 2023 (arXiv:2304.04211).
_PUBLISHED = {
    "AnoGAN (in Shi & Zhang 2023)": (99.0, 99.8, 88.8, 91.3, 94.4, 91.2, 92.5, 96.4, 88.3, 95.8),
    "Deep SVDD (Ruff et al. 2018)": (98.0, 99.7, 91.7, 91.9, 94.9, 88.5, 98.3, 94.6, 93.9, 96.5),
    "OCGAN (Perera et al. 2019)": (99.8, 99.9, 94.2, 96.3, 97.5, 98.0, 99.1, 98.1, 93.9, 98.1),
}


def mnist() -> str:
    """One-class MNIST by model and digit."""
    rows = _rows("mnist_one_class")
    for name, percents in _PUBLISHED.items():
        rows.loc[f"*{name}*"] = [value / 100 for value in percents]
    return _table(rows)


def bundled_digits() -> str:
    """One-class digits of scikit-learn by model and digit."""
    return _table(_rows("digits_one_class"))


def _rows(folder: str) -> pd.DataFrame:
    """AUROC, mean over the seeds that are done: a row per model, a column per digit."""
    summary = pd.read_csv(RESULTS / folder / "summary.csv")
    rows = summary.pivot(index="model", columns="data", values="auroc_mean")
    seeds = summary[summary.seeds_done > 0].groupby("model").seeds_done.min()
    rows = rows.reindex(columns=_DIGITS).dropna(how="all")
    plural = {name: "s" if count > 1 else "" for name, count in seeds.items()}
    return rows.rename(index=lambda name: f"{name} ({seeds[name]} seed{plural[name]})")


def _table(rows: pd.DataFrame) -> str:
    """In Markdown, the best mean first; a mean is given only where all digits are done."""
    mean = rows.mean(axis=1, skipna=False)
    heads = ["model", *(name.removeprefix("digit ") for name in rows), "mean"]
    lines = [row_of(heads), "|---|" + "---:|" * (len(heads) - 1)]
    for name in mean.sort_values(ascending=False, na_position="last").index:
        cells = ["" if pd.isna(v) else f"{v:.3f}" for v in (*rows.loc[name], mean[name])]
        lines.append(row_of([str(name), *cells]))
    return "\n".join(lines)
