# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of a whole test: score histograms, and a selection of its strips."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from anogan_plugin.report.scores import IMAGE_SCORES, image_aurocs

GOOD_COLOUR, DEFECT_COLOUR = "#0072b2", "#d55e00"  # Okabe & Ito: told apart by colour-blind eyes
_BINS = 20
_QUANTILES = (0.05, 0.5, 0.95)
_LABEL_WIDTH = 150


def score_histograms(table: pd.DataFrame, good: str = "good", defect: str = "short fill") -> Figure:
    """Histograms of every image score, good against anomalous: the paper's figures 4 and 5.

    Args:
        table: One row per image, with ``label`` and the columns of :data:`IMAGE_SCORES`.
        good: Name of the images with label 0.
        defect: Name of the images with label 1.

    Returns:
        One panel per score, with its AUROC.
    """
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, len(IMAGE_SCORES), squeeze=False)[0]
    aurocs = image_aurocs(table)
    for axis, (name, title) in zip(panels, IMAGE_SCORES.items(), strict=True):
        edges = np.histogram_bin_edges(table[name], _BINS)
        for label, kind, colour in ((0, good, GOOD_COLOUR), (1, defect, DEFECT_COLOUR)):
            values = table.loc[table.label == label, name]
            axis.hist(values, edges, alpha=0.6, color=colour, label=f"{kind} ({len(values)})")
        axis.set_title(f"{title}: AUROC {aurocs[name]:.3f}", fontsize=10)
        axis.set_xlabel("anomaly score")
        axis.set_ylabel("images")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=9)
    return figure


def typical_images(table: pd.DataFrame) -> pd.DataFrame:
    """Choose images by the rank of their score, not by their looks.

    Args:
        table: One row per image, with ``label`` and ``score``.

    Returns:
        For each label the images at the 5 %, 50 % and 95 % quantile of its scores; the column
        ``rank`` says which.
    """
    chosen = []
    for label in (0, 1):
        ordered = table[table.label == label].sort_values("score")
        places = [round(quantile * (len(ordered) - 1)) for quantile in _QUANTILES]
        chosen.append(ordered.iloc[places].assign(rank=_QUANTILES))
    return pd.concat(chosen, ignore_index=True)


def stack_strips(strips: list[Path], labels: list[str]) -> Image.Image:
    """Put strips of single results under each other.

    Args:
        strips: PNG files of one width, such as ``images/good/00001.png`` of a test.
        labels: What to write beside each.

    Returns:
        RGB picture.
    """
    pictures = [Image.open(path).convert("RGB") for path in strips]
    height = sum(picture.height for picture in pictures)
    sheet = Image.new("RGB", (_LABEL_WIDTH + pictures[0].width, height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    top = 0
    for picture, label in zip(pictures, labels, strict=True):
        sheet.paste(picture, (_LABEL_WIDTH, top))
        draw.multiline_text((10, top + picture.height // 2), label, "black", font, anchor="lm")
        top += picture.height
    return sheet
