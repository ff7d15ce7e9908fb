# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A few test images of a job with what the model makes of them: worst and typical ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from anogan_plugin.comparison.scoring import Pictures

_WORST = 4
_QUANTILES = (0.05, 0.5, 0.95)


def choose_examples(test: pd.DataFrame) -> dict[int, str]:
    """Choose rows by their scores, not by their looks.

    Args:
        test: A row per test image with ``label`` and ``score``, indexed from 0.

    Returns:
        For each chosen row why: ``worst miss`` (a defect with one of the lowest scores), ``worst
        false alarm`` (a good image with one of the highest), or ``typical`` (at the 5 %, 50 % and
        95 % quantiles of its kind).
    """
    chosen: dict[int, str] = {}
    by_score = test.sort_values("score", kind="stable")
    good, bad = by_score[by_score.label == 0].index, by_score[by_score.label == 1].index
    for rows in (good, bad):
        chosen |= {int(rows[round(q * (len(rows) - 1))]): "typical" for q in _QUANTILES}
    chosen |= {int(row): "worst miss" for row in bad[:_WORST]}
    chosen |= {int(row): "worst false alarm" for row in good[-_WORST:]}
    return chosen


def write_examples(folder: Path, test: pd.DataFrame, pictures: Pictures) -> None:
    """Write chosen images as PNG files and ``examples.json``, which says what they are.

    Args:
        folder: Emptied first.
        test: As for :func:`choose_examples`; rows are those of ``pictures``.
        pictures: Of all test images.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # One scale for all maps, or a quiet image would glow like a defect.
    scale = _scale(pictures.maps)
    listed = []
    for row, reason in sorted(choose_examples(test).items()):
        panels = {"image": pictures.images[row].transpose(1, 2, 0)}
        if pictures.reconstructions:
            panels["reconstruction"] = pictures.reconstructions[row].transpose(1, 2, 0).squeeze()
        if pictures.maps:
            panels["map"] = _scaled(pictures.maps[row], *scale)
        if pictures.masks:
            panels["mask"] = (pictures.masks[row] * 255).astype(np.uint8)
        files = {name: f"{row:05d}_{name}.png" for name in panels}
        for name, panel in panels.items():
            Image.fromarray(panel).save(folder / files[name])
        about = test.loc[row, ["image_path", "label", "defect_type", "score"]].to_dict()
        listed.append({"row": row, "reason": reason, **about, "files": files})
    text = json.dumps({"map_range": scale, "examples": listed}, indent=2, default=_plain)
    (folder / "examples.json").write_text(text + "\n", encoding="utf-8")


def _scale(maps: list[np.ndarray]) -> tuple[float, float]:
    if not maps:
        return 0.0, 1.0
    values = np.concatenate([each.ravel() for each in maps])
    low, high = np.quantile(values, (0.01, 0.999))
    return float(low), float(max(high, low + 1e-12))


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return (((values - low) / (high - low)).clip(0, 1) * 255).round().astype(np.uint8)


def _plain(value: np.generic) -> float | int:
    return value.item()
