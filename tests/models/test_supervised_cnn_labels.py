# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which labelled defects the classifier learns from, and that no model is tested on them."""

from pathlib import Path

import pandas as pd
import pytest
from anomalib.data import Folder

from anogan_plugin.models.anogan import AnoGAN
from anogan_plugin.models.supervised_cnn import SupervisedCNN
from anogan_plugin.models.supervised_cnn.labelled import some_of_each_type
from tests.models.supervised_runs import TINY, data, engine_in


def test_all_models_are_tested_on_the_same_images(rendered_set: Path, tmp_path: Path) -> None:
    models = {
        "learns": SupervisedCNN(**TINY),
        "does not": AnoGAN(**TINY, latent_size=8, search_steps=1),
    }
    tested = {}
    for name, model in models.items():
        engine_in(tmp_path / name).train(model, datamodule=data(rendered_set))
        (path,) = (tmp_path / name).rglob("scores_test.csv")
        tested[name] = set(pd.read_csv(path).image_path)
    assert tested["learns"] == tested["does not"]
    assert len(tested["learns"]) == 12 - 2


def test_fewer_defects_are_among_the_more_and_of_every_type(plain_defects: Path) -> None:
    module = data(plain_defects, labelled_defects=3)
    module.setup()
    chosen = [
        set(some_of_each_type(module.labelled_data, count).samples.image_path)
        for count in (1, 2, 3)
    ]
    assert [len(paths) for paths in chosen] == [2, 4, 6]
    assert chosen[0] < chosen[1] < chosen[2]
    with pytest.raises(ValueError, match=r"defects_per_type is 4, but 3 .* are set aside"):
        some_of_each_type(module.labelled_data, 4)


def test_a_second_fit_remembers_what_the_first_learnt_from(
    plain_defects: Path, tmp_path: Path
) -> None:
    model = SupervisedCNN(image_size=32, width=4)
    for seed in (0, 1):
        module = data(plain_defects, labelled_defects=2, seed=seed)
        engine_in(tmp_path / str(seed)).fit(model, datamodule=module)
    assert sum(model.labelled_counts.values()) > 4
    with pytest.raises(ValueError, match="was trained on as a labelled defect"):
        engine_in(tmp_path / "test").test(model, datamodule=module)


def test_it_learns_from_as_many_defects_as_it_is_told(plain_defects: Path, tmp_path: Path) -> None:
    model = SupervisedCNN(image_size=32, width=4, defects_per_type=1)
    engine_in(tmp_path).fit(model, datamodule=data(plain_defects, labelled_defects=2))
    assert list(model.labelled_counts.values()) == [1, 1]


def test_without_labelled_defects_it_says_what_to_do(rendered_set: Path, tmp_path: Path) -> None:
    message = r"learns from labelled defects.*\(ICMold\).*--data.labelled_defects K"
    with pytest.raises(ValueError, match=message):
        engine_in(tmp_path).fit(SupervisedCNN(**TINY), datamodule=data(rendered_set, 0))
    stock = Folder("stock", normal_dir="train/good", root=rendered_set, train_batch_size=8)
    with pytest.raises(ValueError, match=r"labelled defects.*\(Folder\).*such as AnoGAN"):
        engine_in(tmp_path).fit(SupervisedCNN(**TINY), datamodule=stock)
