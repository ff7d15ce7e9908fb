# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What the tables are made of."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_curve

RESULTS = Path(__file__).parent


def row_of(cells: Iterable[str]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def mean_of(values: pd.Series, digits: int) -> str:
    """Mean ± sample standard deviation; the value alone if it is one."""
    if len(values) == 1:
        return f"{values.iloc[0]:.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


def overlap_of(labels: pd.Series, scores: pd.Series) -> float:
    """What the scores of good images (0) and defects (1) share: 1 − the largest TPR − FPR."""
    false, true, _ = roc_curve(labels, scores)
    return 1 - float((true - false).max())
