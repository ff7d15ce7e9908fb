# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The distance of latent vectors against scipy, and AnoGAN scored by it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from anomalib.engine import Engine
from scipy.spatial.distance import seuclidean

from anogan_plugin.data.icmold import ICMold
from anogan_plugin.models.anogan import AnoGAN
from anogan_plugin.models.components.latent_distance import LatentDistance

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8, "search_steps": 2}


def test_it_is_the_distance_in_standard_deviations() -> None:
    noise = np.random.default_rng(0)
    good = noise.normal(size=(50, 6)) @ noise.normal(size=(6, 6)) + 3
    good[:, 2] /= 100  # hardly differs: counts as if it differed by 0.3
    tested = good[:4] + noise.normal(size=(4, 6))
    distance = LatentDistance(6)
    distance.fit(torch.tensor(good, dtype=torch.float32))
    variance = np.var(good, axis=0, ddof=1)
    variance[2] = 0.3**2
    expected = [seuclidean(z, good.mean(0), variance) for z in tested]
    found = distance(torch.tensor(tested, dtype=torch.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_too_few_good_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        LatentDistance(2).fit(torch.randn(7, 2))


def test_a_model_that_has_seen_no_good_images_says_so() -> None:
    model = AnoGAN(**TINY, search="fast", image_score="distance")
    with pytest.raises(ValueError, match=r"image_score distance .* train it"):
        model(torch.rand(1, 3, 32, 32))


def test_a_search_from_a_random_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="give search fast, refined or averaged"):
        AnoGAN(**TINY, image_score="distance")


def test_weights_from_before_there_was_a_distance_load_without_it() -> None:
    model = AnoGAN(**TINY, search="fast")
    older = {k: v for k, v in model.state_dict().items() if "model.distance." not in k}
    assert len(older) < len(model.state_dict())
    model.load_state_dict(older)
    assert not model.model.distance.fitted
    covariance = {**older, "model.distance.centre": torch.zeros(8)}
    covariance |= {"model.distance.whitening": torch.eye(8)}
    model.load_state_dict({**covariance, "model.distance._extra_state": torch.tensor(True)})
    assert not model.model.distance.fitted
    older.pop("model.standardised.mean")
    with pytest.raises(RuntimeError, match=r"standardised\.mean"):
        model.load_state_dict(older)


def test_a_new_training_forgets_what_good_images_taught_the_last_one() -> None:
    model = AnoGAN(**TINY, search="fast")
    model.model.distance.fit(torch.randn(20, 8))
    model.on_train_start()
    assert not model.model.distance.fitted


@pytest.mark.parametrize("preset", ["default", "inspection"])
def test_one_flag_scores_by_it(preset: Any, rendered_set: Path, tmp_path: Path) -> None:
    search = {"default": "fast", "inspection": "refined"}[preset]
    arguments: dict[str, Any] = {**TINY, "preset": preset, "search": search}
    engine = Engine(max_epochs=1, default_root_dir=tmp_path, accelerator="cpu", devices=1)
    data = ICMold(root=rendered_set, image_size=32, train_batch_size=8)
    engine.train(AnoGAN(**arguments, image_score="distance"), datamodule=data)
    (table,) = (pd.read_csv(path) for path in tmp_path.rglob("v0/scores_test.csv"))
    assert (table.score == table.distance).all()
    assert table.rejected.notna().all()
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    again: Any = AnoGAN.load_from_checkpoint(str(engine.best_model_path)).eval().model
    expected = again.distance(again.latent_search()(images).latent)
    torch.testing.assert_close(again.score(images).pred_score, expected)
