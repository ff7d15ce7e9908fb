# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Latent vectors averaged over searches from several guesses, against those searches alone."""

import dataclasses
from typing import Any

import pytest
import torch

from anogan_plugin.latent_search import LatentSearch, SearchSettings, search_settings
from tests.latent_search.test_first_map import LATENT, images, networks


def found_with(**overrides: Any) -> Any:
    settings = search_settings("fast", steps=5, precision="fp32")
    return LatentSearch(*networks(), LATENT, dataclasses.replace(settings, **overrides))(images())


def test_z_is_the_mean_and_all_else_the_first_search() -> None:
    found, alone = found_with(guesses=3), [found_with(seed=seed) for seed in range(3)]
    mean = sum(each.latent for each in alone) / 3
    torch.testing.assert_close(found.latent, mean)
    assert not torch.allclose(mean, alone[0].latent, rtol=0.01)
    for name in ("reconstruction", "residual", "discrimination", "score"):
        torch.testing.assert_close(getattr(found, name), getattr(alone[0], name))
    assert found.steps.tolist() == [15] * 3


def test_images_that_stream_are_averaged_one_by_one() -> None:
    settings = search_settings("averaged", steps=3, precision="fp32")
    search = LatentSearch(*networks(), LATENT, settings, batch_size=2)
    expected = LatentSearch(*networks(), LATENT, settings)(images(5)).latent
    streamed = list(search.stream(images(5)))
    assert len(streamed) > 1
    order = torch.cat([result.index for result in streamed]).argsort()
    torch.testing.assert_close(torch.cat([result.latent for result in streamed])[order], expected)


def test_steps_in_the_map_go_on_from_the_first_guess() -> None:
    found, one = found_with(guesses=2, map_steps=2), found_with(map_steps=2)
    torch.testing.assert_close(found.reconstruction, one.reconstruction)
    assert not torch.equal(found.latent, one.latent)
    assert found.steps.tolist() == [12] * 3


def test_what_is_prepared_is_not_made_again() -> None:
    search = LatentSearch(*networks(), LATENT, search_settings("averaged", steps=1))
    search.prepare(images())
    assert all("_regression" in vars(each) for each in (search, *search._from_other_guesses))


def test_a_start_is_for_one_search() -> None:
    search = LatentSearch(*networks(), LATENT, search_settings("averaged", steps=1))
    with pytest.raises(ValueError, match="start is for one search, and there are 2"):
        search(images(), start=torch.zeros(3, LATENT))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"guesses": 0, "start": "regression"}, "at least 1, got 0"),
        ({"guesses": 1.5, "start": "regression"}, "at least 1, got 1.5"),
        ({"guesses": 2}, "1 where the search starts from a random vector, got 2"),
    ],
)
def test_what_can_not_be_averaged_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        SearchSettings(**settings)
