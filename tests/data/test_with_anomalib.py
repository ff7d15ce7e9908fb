# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Both data modules under the stock engine, with a stock model."""

from pathlib import Path

import pytest
from anomalib.data import AnomalibDataModule
from anomalib.engine import Engine
from anomalib.models import Ganomaly

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.data.one_class_digits import OneClassDigits

from .photographs import numbered, write_photographs


def fit_and_test(datamodule: AnomalibDataModule, folder: Path) -> list[Path]:
    """Train and test a small stock model; return the pictures that its visualiser draws."""
    engine = Engine(max_epochs=1, accelerator="cpu", default_root_dir=folder, logger=False)
    model = Ganomaly(n_features=4, latent_vec_size=8)
    engine.fit(model, datamodule=datamodule)
    (results,) = engine.test(model, datamodule=datamodule)
    assert 0 <= results["image_AUROC"] <= 1
    root = folder / "Ganomaly" / datamodule.name / datamodule.category
    return sorted(root.rglob("images/*/*.png"))


def test_icmold_with_unusual_names(tmp_path: Path) -> None:
    root, odd = tmp_path / "ライン 3", ["<img onerror=alert(1)>.png", "a b é.png"]
    write_photographs(root / "train/good", numbered(8))
    write_photographs(root / "test/good", odd, first=8)
    write_photographs(root / "test/<b>", odd, first=10)
    datamodule = ICMold(root, train_batch_size=4)
    pictures = fit_and_test(datamodule, tmp_path / "results")
    assert sorted(p.name for p in pictures) == sorted(odd * 2)


@pytest.mark.usefixtures("dataset_cache")
def test_one_class_digits(tiny_digits: Path, tmp_path: Path) -> None:
    datamodule = OneClassDigits(tiny_digits, normal_digits=[1], train_batch_size=16)
    pictures = fit_and_test(datamodule, tmp_path)
    assert len(pictures) == 100
