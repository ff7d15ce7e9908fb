# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models over several data sets: a critical-difference diagram (Demšar 2006)."""

import pandas as pd
from matplotlib.axes import Axes

_STEP = 0.5
"""Between two names, in units of the axis's height."""


def draw_ranks(axis: Axes, ranks: pd.DataFrame) -> None:
    """Average ranks, best on the left; a bar joins models that are not told apart.

    Args:
        axis: To draw on.
        ranks: ``ranks.csv``: a row per model, best first.
    """
    count = len(ranks)
    half = (count + 1) // 2
    axis.set(xlim=(0.6, count + 0.4), ylim=(-1.2 - _STEP * half, 1.6))
    axis.set_axis_off()
    axis.plot([1, count], [0, 0], color="black", linewidth=1)
    for rank in range(1, count + 1):
        axis.plot([rank, rank], [0, 0.12], color="black", linewidth=1)
        axis.annotate(f"{rank}", (rank, 0.2), ha="center", fontsize=8)
    _critical_difference(axis, float(ranks.critical_difference.iloc[0]))
    bars = _groups(ranks)
    for level, (best, worst) in enumerate(bars, start=1):
        height = -0.15 * level
        axis.plot([best - 0.05, worst + 0.05], [height, height], color="#0072b2", linewidth=3)
    below = -0.15 * len(bars) - 0.35
    for place, row in enumerate(ranks.itertuples()):
        left = place < half
        height = below - _STEP * (place if left else count - 1 - place)
        edge = 0.9 if left else count + 0.1
        axis.plot(
            [row.average_rank, row.average_rank, edge],
            [0, height, height],
            color="grey",
            linewidth=0.8,
        )
        axis.annotate(
            f"{row.model} ({row.average_rank:.2f})",
            (edge - 0.06 if left else edge + 0.06, height),
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )


def _critical_difference(axis: Axes, length: float) -> None:
    axis.plot([1, 1 + length], [0.9, 0.9], color="black", linewidth=1.5)
    axis.annotate(f"critical difference {length:.2f}", (1 + length / 2, 1.05), ha="center")


def _groups(ranks: pd.DataFrame) -> list[tuple[float, float]]:
    """Best and worst average rank of each set of models that are not told apart."""
    numbers = ranks.assign(group=ranks.groups.astype(str).str.split()).explode("group")
    of_groups = numbers[numbers.group.notna() & (numbers.group != "")].groupby("group").average_rank
    return list(zip(of_groups.min(), of_groups.max(), strict=True))
