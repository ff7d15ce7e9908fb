# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a search is called and how it may be changed, and its step sizes by hand."""

import dataclasses
import math
from typing import Any

import pytest
import torch

from anogan_plugin.latent_search import SEARCHES, SearchSettings, search_settings

NAN = float("nan")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"steps": -1}, "steps"),
        ({"discrimination_weight": 1.5}, "discrimination_weight"),
        ({"discrimination_weight": -0.1}, "discrimination_weight"),
        ({"discrimination_weight": NAN}, "discrimination_weight"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"learning_rate": -0.05}, "learning rate"),
        ({"learning_rate": math.inf}, "learning rate"),
        ({"learning_rate": NAN}, "learning rate"),
        ({"betas": (1.0, 0.9)}, "betas"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"betas": (-0.1, 0.9)}, "betas"),
        ({"betas": (0.9, NAN)}, "betas"),
        ({"stop_tolerance": -0.01}, "stop_tolerance"),
        ({"stop_tolerance": 1.0}, "stop_tolerance"),
        ({"stop_tolerance": NAN}, "stop_tolerance"),
        ({"stop_window": 0}, "stop_window"),
        ({"schedule": "linear"}, "schedule"),
        ({"start": "zero"}, "start"),
        ({"descend_on": "discrimination"}, "descend_on"),
        ({"precision": "fp8"}, "precision"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any], named: str) -> None:
    (value,) = settings.values()
    with pytest.raises(ValueError, match=rf"^search {named} must be .*, got ") as raised:
        SearchSettings(**settings)
    assert str(raised.value).endswith(f"got {value!r}")


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("schedule", ["constant", "cosine"]),
        ("start", ["random", "regression"]),
        ("descend_on", ["total", "residual"]),
        ("precision", ["auto", "fp32", "bf16"]),
    ],
)
def test_an_unknown_choice_is_told_the_others(field: str, choices: list[str]) -> None:
    arguments: dict[str, Any] = {field: "other"}
    with pytest.raises(ValueError, match=", ".join(map(repr, choices))):
        SearchSettings(**arguments)
    for choice in choices:
        arguments = {field: choice}
        assert getattr(SearchSettings(**arguments), field) == choice


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"discrimination_weight": 0},
        {"discrimination_weight": 1},
        {"betas": (0.0, 0.0)},
        {"stop_window": 1},
    ],
    ids=repr,
)
def test_the_ends_of_a_range_belong_to_it(settings: dict[str, Any]) -> None:
    ((name, value),) = settings.items()
    assert getattr(SearchSettings(**settings), name) == value


def test_a_search_has_the_settings_it_is_named_for() -> None:
    paper = search_settings("paper")
    assert paper == SEARCHES["paper"] == SearchSettings()
    assert (paper.steps, paper.discrimination_weight) == (500, 0.1)
    assert (paper.schedule, paper.start, paper.descend_on) == ("constant", "random", "total")
    assert paper.stop_tolerance == 0, "the paper stops no image early"
    fast = search_settings("fast")
    assert (fast.schedule, fast.start, fast.descend_on) == ("cosine", "regression", "residual")
    assert fast.steps < paper.steps
    assert fast.discrimination_weight == paper.discrimination_weight, "the score is the same"


def test_only_what_is_given_is_replaced() -> None:
    fast = search_settings("fast", steps=7, seed=None, learning_rate=None, stop_tolerance=0.0)
    assert fast == dataclasses.replace(SEARCHES["fast"], steps=7)
    assert search_settings("paper", discrimination_weight=0).discrimination_weight == 0
    assert search_settings("paper", steps=0).steps == 0
    assert SEARCHES["fast"].steps != 7, "the named one stays as it is"


def test_a_value_that_replaces_is_checked() -> None:
    with pytest.raises(
        ValueError, match="search steps must be a whole number of at least 0, got -5"
    ):
        search_settings("fast", steps=-5)


def test_an_unknown_search_is_told_the_others() -> None:
    with pytest.raises(
        ValueError,
        match=r"search must be one of \('paper', 'fast', 'refined', 'averaged'\), got 'slow'",
    ):
        search_settings("slow")


def test_cosine_step_sizes_by_hand() -> None:
    settings = SearchSettings(steps=6, learning_rate=0.4, schedule="cosine")
    sizes = settings.step_sizes(torch.arange(7))
    # 0.2·(1 + cos) of 0°, 30°, 60°, 90°, 120°, 150° and 180°.
    root = math.sqrt(3)
    expected = [0.4, 0.1 * (2 + root), 0.3, 0.2, 0.1, 0.1 * (2 - root), 0.0]
    assert sizes.dtype == torch.float64
    torch.testing.assert_close(sizes, torch.tensor(expected, dtype=torch.float64))


def test_constant_step_sizes_are_that() -> None:
    settings = SearchSettings(steps=6, learning_rate=0.4)
    assert settings.step_sizes(torch.tensor([0, 3, 5])).tolist() == [0.4] * 3


def test_a_step_size_is_its_own_images() -> None:
    settings = SearchSettings(steps=4, learning_rate=1.0, schedule="cosine")
    sizes = settings.step_sizes(torch.tensor([2, 0, 4, 2]))
    torch.testing.assert_close(sizes, torch.tensor([0.5, 1.0, 0.0, 0.5], dtype=torch.float64))
