# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""anomalib's own look-ups find the registered classes, in every spelling they allow."""

from typing import Any

import anomalib.data
import pytest
from anomalib.data import AnomalibDataModule, get_datamodule
from anomalib.models import AnomalibModule, get_model, list_models
from anomalib.models.image import Padim
from jsonargparse import ArgumentParser

import anogan_plugin
from anogan_plugin.registration import DATA_MODULES, MODELS


@pytest.mark.parametrize(
    "spelling",
    [
        "AnoGAN",
        "anogan",
        "ano_gan",
        {"class_path": "AnoGAN"},
        {"class_path": "anomalib.models.AnoGAN", "init_args": {"image_size": 32}},
    ],
)
def test_get_model(spelling: Any) -> None:
    assert type(get_model(spelling)) is anogan_plugin.AnoGAN


@pytest.mark.parametrize("name", MODELS)
def test_every_listed_name_is_found(name: str) -> None:
    assert name in list_models(case="pascal")
    snake = next(listed for listed in list_models() if listed.replace("_", "") == name.lower())
    assert type(get_model(snake)) is getattr(anogan_plugin, name)


@pytest.mark.parametrize("name", DATA_MODULES)
def test_get_datamodule(name: str) -> None:
    assert type(get_datamodule({"class_path": name})) is getattr(anomalib.data, name)


@pytest.mark.parametrize("name", DATA_MODULES)
def test_get_datamodule_passes_a_pair_as_image_size(name: str) -> None:
    """It makes `image_size: 32` of a configuration, as the stock benchmark reads it, (32, 32)."""
    get_datamodule({"class_path": name, "init_args": {"image_size": 32}})


@pytest.mark.parametrize(
    ("base", "name"),
    [(AnomalibModule, n) for n in MODELS] + [(AnomalibDataModule, n) for n in DATA_MODULES],
)
def test_the_command_resolves_the_short_name(base: type, name: str) -> None:
    parser = ArgumentParser()
    parser.add_subclass_arguments(base, "it")
    assert parser.parse_args([f"--it={name}"]).it.class_path.endswith(f".{name}")


def test_the_models_of_anomalib_are_untouched() -> None:
    assert type(get_model("padim", pre_trained=False)) is Padim
