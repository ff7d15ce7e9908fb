# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What went wrong once: interruptions at any point, unusual networks, odd sides, no compiler."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchSettings, search_settings
from anogan_plugin.latent_search.capacity import is_out_of_memory
from anogan_plugin.latent_search.chain import is_chain
from anogan_plugin.latent_search.objective import Objective
from anogan_plugin.models.anogan.torch_model import AnoGANModel
from tests.latent_search.small import (
    LATENT,
    Wrapped,
    assert_alike,
    assert_near,
    assert_same,
    mixed_images,
    random_images,
    small_features,
    small_generator,
    small_search,
)


class FailsOnce:
    """Stands before a method and raises at one of its calls."""

    def __init__(self, method: Callable[..., Any], at: int, error: BaseException) -> None:
        self._method, self._left, self._error = method, at, error

    def __call__(self, *arguments: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise self._error
        return self._method(*arguments)


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6])
def test_ctrl_c_while_scoring_loses_nothing(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, images, marks = tmp_path / "search.pt", mixed_images(5), (2, 4)
    expected = small_search(2, steps=4)(images, marks=marks)
    search = small_search(2, steps=4)
    with monkeypatch.context() as patch:
        fails = FailsOnce(search.exact.losses, at, KeyboardInterrupt())
        patch.setattr(search.exact, "losses", fails)
        with pytest.raises(KeyboardInterrupt):
            search(images, marks=marks, save_to=path)
    assert_same(search(images, marks=marks, save_to=path), expected)


@pytest.mark.parametrize("method", ["extract", "losses"])
def test_memory_that_runs_out_elsewhere(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images = mixed_images(5)
    expected = small_search(5, steps=4)(images)
    search = small_search(5, steps=4)
    objective = search.descent if method == "extract" else search.exact
    compute = getattr(objective, method)

    def small_only(*tensors: torch.Tensor) -> Any:
        if len(tensors[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return compute(*tensors)

    monkeypatch.setattr(objective, method, small_only)
    with pytest.warns(UserWarning, match="out of memory"):
        found = search(images)
    assert_alike(found, expected)


def test_mark_0_is_the_score_of_the_start() -> None:
    images = mixed_images(3)
    start = small_search(2, steps=0)(images).score
    found = small_search(2, steps=5)(images, marks=(0,))
    torch.testing.assert_close(found.score_at[:, 0], start)


def test_another_image_in_the_middle_is_refused(tmp_path: Path) -> None:
    path, images = tmp_path / "search.pt", random_images(5)
    small_search(2, steps=2)(images, save_to=path)
    images[2] = 0
    with pytest.raises(ValueError, match="another search"):
        small_search(2, steps=2)(images, save_to=path)


def test_other_running_statistics_are_refused(tmp_path: Path) -> None:
    norm = nn.BatchNorm2d(1)
    features = nn.Sequential(norm, nn.Conv2d(1, 2, 4, 2, 1))
    path = tmp_path / "search.pt"

    def search() -> Any:
        settings = SearchSettings(steps=2)
        return LatentSearch(small_generator(), features, LATENT, settings)(
            random_images(3), save_to=path
        )

    search()
    assert norm.running_mean is not None
    norm.running_mean += 1
    with pytest.raises(ValueError, match="another search"):
        search()


class Doubling(nn.Sequential):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(images)


class Scaled(nn.Conv2d):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(2 * images)


@pytest.mark.parametrize(
    "features",
    [
        Doubling(nn.Conv2d(1, 2, 4, 2, 1)),
        nn.Sequential(Scaled(1, 2, 4, 2, 1)),
        nn.Sequential(),
        nn.Sequential(nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(1, 2, 4, 2, 1)),
        nn.Sequential(nn.LeakyReLU(-0.2)),
        nn.Sequential(nn.Conv2d(1, 2, 4, 2, 1), nn.Tanh(), nn.LeakyReLU(0.2, inplace=True)),
    ],
    ids=[
        "Sequential's subclass",
        "Conv2d's subclass",
        "empty",
        "in place",
        "negative",
        "after tanh",
    ],
)
def test_the_gradient_is_that_of_the_network(features: nn.Sequential) -> None:
    latent, images = torch.randn(3, LATENT), random_images(3)
    generator = small_generator()
    z = latent.clone().requires_grad_()
    made = generator(z)
    with torch.no_grad():
        wanted = features(images.clone())
    # in-place layers must not touch what tanh's gradient needs
    plain = [nn.LeakyReLU(m.negative_slope) if isinstance(m, nn.LeakyReLU) else m for m in features]
    copy = features if isinstance(features, Doubling) else nn.Sequential(*plain)
    loss = 0.5 * (images - made).abs().sum() + 0.5 * (wanted - copy(made)).abs().sum()
    (expected,) = torch.autograd.grad(loss, z)
    kept = images.clone()
    objective = Objective(generator, features, 0.5)
    extracted = objective.extract(images)
    assert torch.equal(images, kept), "images are left alone"
    assert_near(objective.loss_and_gradient(latent, images, extracted)[1], expected, 1e-5)


def test_odd_sides() -> None:
    generator = nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 4, 4),
        nn.ConvTranspose2d(4, 1, 4),
    )
    features = nn.Sequential(nn.Conv2d(1, 2, 4, 2, 1))
    images = torch.rand(2, 1, 7, 7)
    settings = SearchSettings(steps=2)
    found = LatentSearch(generator, features, LATENT, settings)(images)
    wrapped = LatentSearch(Wrapped(generator), Wrapped(features), LATENT, settings)(images)
    assert_alike(found, wrapped)


def test_where_there_is_no_compiler_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("torch.compile is not supported on Python 3.15+")

    monkeypatch.setattr(torch, "compile", unsupported)
    networks = small_generator(), small_features()
    with pytest.warns(UserWarning, match="uncompiled"):
        LatentSearch(*networks, LATENT, SearchSettings(steps=1), compiled=True)(random_images(2))


def model() -> AnoGANModel:
    return AnoGANModel(32, 1, 4, 2, "spectral", SearchSettings(steps=1), "paper")


def test_a_model_made_in_inference_mode() -> None:
    with torch.inference_mode():
        model().score(torch.zeros(1, 1, 32, 32))


def test_a_change_through_data_is_seen() -> None:
    changed = model()
    first = changed.latent_search()
    for weight in changed.parameters():
        weight.data.add_(1)
    assert changed.latent_search() is not first


def test_other_settings_are_seen() -> None:
    changed = model()
    changed.latent_search()
    changed.search = dataclasses.replace(changed.search, steps=7)
    assert changed.latent_search().settings.steps == 7


def test_a_generator_without_parameters() -> None:
    generator = nn.Unflatten(1, (1, 2, 2))
    LatentSearch(generator, nn.Conv2d(1, 2, 2), 4, SearchSettings(steps=1))(torch.zeros(1, 1, 2, 2))


@pytest.mark.parametrize("betas", [(0.9,), (0.9, 0.9, 0.9)])
def test_two_betas(betas: Any) -> None:
    with pytest.raises(ValueError, match="betas"):
        SearchSettings(betas=betas)


def test_steps_are_a_number() -> None:
    with pytest.raises(ValueError, match="steps"):
        SearchSettings(steps=float("nan"))  # type: ignore[arg-type]


def test_nothing_to_descend_on_is_refused() -> None:
    with pytest.raises(ValueError, match="discrimination_weight"):
        SearchSettings(discrimination_weight=1, descend_on="residual")


def test_a_guess_is_a_likely_latent_vector() -> None:
    torch.manual_seed(0)
    generator = AnoGANModel(32, 1, 8, 4, "none", SearchSettings(), "paper").generator
    settings = search_settings("fast", steps=0)
    search = LatentSearch(generator.as_chain(), nn.Conv2d(1, 1, 4), 8, settings)
    assert search(torch.rand(4, 1, 32, 32) * 2 - 1).latent.abs().max() < 100


def test_memory_on_windows() -> None:
    said = "[enforce fail at alloc_cpu.cpp] data. DefaultCPUAllocator: not enough memory: you tried"
    assert is_out_of_memory(RuntimeError(said))


def test_halving_begins_at_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    search = small_search(32, steps=1)
    compute, sizes = search.descent.loss_and_gradient, []

    def small_only(latent: torch.Tensor, *others: torch.Tensor) -> Any:
        sizes.append(len(latent))
        if len(latent) > 2:
            raise MemoryError
        return compute(latent, *others)

    monkeypatch.setattr(search.descent, "loss_and_gradient", small_only)
    with pytest.warns(UserWarning, match="out of memory"):
        search(random_images(5))
    assert sizes.count(5) == 1


def test_images_of_another_type_are_converted_when_preparing() -> None:
    small_search(2, steps=1).prepare((random_images(2) > 0).to(torch.uint8))


def test_a_start_is_on_the_networks_device() -> None:
    networks = small_generator().to("meta"), small_features().to("meta")
    search = LatentSearch(*networks, LATENT, SearchSettings(steps=1))
    assert search.start(random_images(2).to("meta")).device.type == "meta"


def test_is_chain_of_unflatten_of_maps() -> None:
    assert not is_chain(nn.Sequential(nn.Unflatten(2, (2, 2))))
