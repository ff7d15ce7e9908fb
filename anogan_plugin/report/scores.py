# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Reads the table of raw scores and measures how well they separate."""

from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

IMAGE_SCORES = {
    "paper": "A(x) of the paper",
    "local": "largest local residual",
}
"""Columns of image scores in the table, and what they are called in figures."""


def read_scores(path: Path) -> pd.DataFrame:
    """Read ``scores_test.csv``.

    Args:
        path: The file that a test wrote.

    Returns:
        One row per image: ``image_path``, ``label`` (0 good, 1 anomalous), ``score`` and its parts.

    Raises:
        ValueError: If the table lacks a column or one of the two labels.
    """
    table = pd.read_csv(path)
    missing = {"image_path", "label", "score", *IMAGE_SCORES} - set(table.columns)
    if missing:
        msg = f"{path} lacks the columns {sorted(missing)}: give a table that AnoGAN's test wrote"
        raise ValueError(msg)
    if set(table.label) != {0, 1}:
        found = sorted(set(table.label))
        msg = f"{path} has labels {found}: expected good (0) and anomalous (1) images"
        raise ValueError(msg)
    return table


def image_aurocs(table: pd.DataFrame) -> dict[str, float]:
    """Area under the ROC curve of every image score in the table.

    Args:
        table: From :func:`read_scores`.

    Returns:
        AUROC by column name, 0.5 for chance.
    """
    return {name: float(roc_auc_score(table.label, table[name])) for name in IMAGE_SCORES}
