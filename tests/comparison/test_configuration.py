# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a configuration is said before anything trains, with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anogan_plugin.comparison.configuration import read_comparison
from anogan_plugin.comparison.yaml_lines import ConfigurationError
from tests.comparison.small import small_comparison, write

Change = Callable[[dict[str, Any]], object]


def test_jobs_are_models_by_data_by_seeds_seed_by_seed(rendered_set: Path, tmp_path: Path) -> None:
    configuration = small_comparison(rendered_set)
    configuration["seeds"] = [0, 1]
    configuration["models"].append({"class_path": "VAE", "init_args": {"image_size": 32}})
    jobs = read_comparison(write(tmp_path / "c.yaml", configuration)).jobs
    assert [(job.model.name, job.data, job.seed) for job in jobs] == [
        ("ConvAutoencoder", "moulds", 0),
        ("VAE", "moulds", 0),
        ("ConvAutoencoder", "moulds", 1),
        ("VAE", "moulds", 1),
    ]
    assert len({job.key for job in jobs}) == len({job.folder_name for job in jobs}) == 4


def test_key_depends_on_what_the_result_does_and_on_no_name(
    rendered_set: Path, tmp_path: Path
) -> None:
    def key(change: Change) -> str:
        configuration = small_comparison(rendered_set)
        change(configuration)
        return read_comparison(write(tmp_path / "c.yaml", configuration)).jobs[0].key

    as_it_is = key(lambda c: None)
    assert key(lambda c: c["models"][0].update(name="other")) == as_it_is
    assert key(lambda c: c["models"][0]["init_args"].update(preset="default")) == as_it_is
    changed = {
        key(lambda c: c["models"][0]["init_args"].update(loss="l1")),
        key(lambda c: c.update(seeds=[1])),
        key(lambda c: c["trainer"].update(max_epochs=2)),
        key(lambda c: c["data"][0]["init_args"].update(held_out_ratio=0.2)),
    }
    assert len(changed) == 4
    assert as_it_is not in changed


def test_scorings_share_what_is_trained(rendered_set: Path, tmp_path: Path) -> None:
    configuration = small_comparison(rendered_set)
    configuration["models"][0]["scorings"] = {
        "sum": {"image_score": "sum"},
        "local": {"image_score": "local"},
    }
    first, second = read_comparison(write(tmp_path / "c.yaml", configuration)).jobs
    assert (first.model.name, second.model.name) == ("sum", "local")
    assert first.training_key == second.training_key
    assert first.key != second.key


def test_model_is_compared_on_the_data_that_it_names(rendered_set: Path, tmp_path: Path) -> None:
    configuration = small_comparison(rendered_set)
    configuration["data"].append({**configuration["data"][0], "name": "others"})
    configuration["models"][0]["data"] = ["others"]
    jobs = read_comparison(write(tmp_path / "c.yaml", configuration)).jobs
    assert [job.data for job in jobs] == ["others"]


WRONG: dict[str, tuple[Change, str, list[str]]] = {
    "no seeds": (lambda c: c.pop("seeds"), "seeds", ["is missing"]),
    "seed twice": (lambda c: c.update(seeds=[1, 1]), "seeds[1]", ["there twice"]),
    "seed is text": (lambda c: c.update(seeds=["a"]), "seeds[0]", ["whole number"]),
    "unknown key": (lambda c: c.update(modells=[]), "modells", ["'models'"]),
    "unknown model": (
        lambda c: c["models"][0].update(class_path="AnoGun"),
        "models[0].class_path",
        ["AnoGun", "did you mean 'AnoGAN'", "Patchcore"],
    ),
    "not a model": (
        lambda c: c["models"][0].update(class_path="pathlib.Path"),
        "models[0].class_path",
        ["not an AnomalibModule"],
    ),
    "not there": (
        lambda c: c["models"][0].update(class_path="nowhere.Model"),
        "models[0].class_path",
        ["can't be imported", "nowhere"],
    ),
    "unknown argument": (
        lambda c: c["models"][0]["init_args"].update(widht=3),
        "models[0].init_args.widht",
        ["did you mean 'width'", "latent_size"],
    ),
    "wrong type": (
        lambda c: c["models"][0]["init_args"].update(width="wide"),
        "models[0].init_args.width",
        ["wide", "int"],
    ),
    "not one of the choices": (
        lambda c: c["models"][0]["init_args"].update(loss="l3"),
        "models[0].init_args.loss",
        ["l3", "l2", "ssim"],
    ),
    "wrong type in a scoring": (
        lambda c: c["models"][0].update(scorings={"a": {"width": "wide"}}),
        "models[0].scorings.a.width",
        ["wide", "int"],
    ),
    "wrong data": (
        lambda c: c["data"][0]["init_args"].update(held_out_ratio=2.0),
        "data[0].init_args",
        ["held_out_ratio", "between 0 and 1"],
    ),
    "data of no name": (
        lambda c: c["models"][0].update(data=["x"]),
        "models[0].data[0]",
        ["moulds"],
    ),
    "name twice": (
        lambda c: c["models"].append(c["models"][0]),
        "models[1]",
        ["'ConvAutoencoder', as another is (line"],
    ),
    "one model by two names": (
        lambda c: c["models"].append({**c["models"][0], "name": "other"}),
        "models[1].name",
        ["other on moulds, seed 0", "the same as ConvAutoencoder on moulds, seed 0", "drop one"],
    ),
    "unknown trainer argument": (
        lambda c: c["trainer"].update(epochs=3),
        "trainer.epochs",
        ["unknown argument 'epochs'", "max_epochs"],
    ),
    "wrong trainer argument": (
        lambda c: c["trainer"].update(max_epochs=-7),
        "trainer",
        ["max_epochs"],
    ),
    "trainer argument of ours": (
        lambda c: c["trainer"].update(devices=2),
        "trainer.devices",
        ["drop it"],
    ),
    "image size of a model of ours": (
        lambda c: c["models"][0].update(image_size=32),
        "models[0].image_size",
        ["init_args: {image_size: 32}"],
    ),
    "overkill": (lambda c: c.update(overkill=1), "overkill", ["(0, 1)"]),
    "name beside scorings": (
        lambda c: c["models"][0].update(name="a", scorings={"b": {}}),
        "models[0].name",
        ["scorings"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_error_names_file_line_key_and_what_is_valid(
    case: str, rendered_set: Path, tmp_path: Path
) -> None:
    change, key, parts = WRONG[case]
    configuration = small_comparison(rendered_set)
    change(configuration)
    path = write(tmp_path / "c.yaml", configuration)
    with pytest.raises(ConfigurationError) as raised:
        read_comparison(path)
    message = str(raised.value)
    assert message.startswith(f"{path}, line ")
    assert f": {key} " in message
    for part in parts:
        assert part in message


def test_line_is_that_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("seeds: [0]\ndata:\n  - class_path: ICMold\nmodels:\n  - class_path: AnoGun\n")
    with pytest.raises(ConfigurationError, match=r"line 5: models\[0\]\.class_path"):
        read_comparison(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [0", "not valid YAML"),
        ("seeds: [0]\nseeds: [1]\n", "line 1: seeds is there twice, again on line 2"),
        ("- 1\n", "expected keys with values"),
        ("", "expected keys with values"),
    ],
)
def test_what_is_not_a_mapping_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_comparison(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml.*No such file"):
        read_comparison(tmp_path / "absent.yaml")
