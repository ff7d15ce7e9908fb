# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A search for many images: in any order and company, as they end, and when memory runs out."""

import dataclasses
import gc
import itertools
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from anogan_plugin.latent_search import (
    LatentSearch,
    SearchProgress,
    SearchResult,
    SearchSettings,
)
from anogan_plugin.models.components.dcgan import Discriminator, Generator
from tests.latent_search.small import (
    LATENT,
    SIDE,
    STOPPING,
    assert_alike,
    assert_same,
    mixed_images,
    no_warning_of_a_search,
    random_images,
    small_search,
)


def in_order(result: SearchResult, order: Sequence[int]) -> SearchResult:
    fields = dataclasses.fields(SearchResult)
    values = {field.name: getattr(result, field.name)[order] for field in fields}
    return SearchResult(**{**values, "index": torch.arange(len(order))})


class Reading(Sequence[torch.Tensor]):
    """Images that are read one by one, as from a disk."""

    def __init__(self, images: torch.Tensor) -> None:
        self._images = images
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, position: Any) -> Any:
        self.reads.append(position)
        return self._images[position].clone()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """With several, kernels share their sums out by the size of the batch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_results_do_not_depend_on_the_batch_in_any_digit() -> None:
    images = mixed_images(7)
    together = small_search(7, steps=15)(images)
    assert together.steps.tolist() == [15] * 7
    assert not together.converged.any()
    for batch_size in (1, 3, 100):
        assert_same(small_search(batch_size, steps=15)(images), together)
    order = [4, 2, 6, 0, 1, 5, 3]
    assert_same(small_search(3, steps=15)(images[order]), in_order(together, order))


@pytest.mark.usefixtures("one_thread")
def test_nor_do_those_of_a_dcgan() -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(32, 1, 8, 4), Discriminator(32, 1, 4, "spectral")
    for layer in generator.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.2)
    images = torch.rand(5, 1, 32, 32) * 2 - 1

    def search(batch_size: int) -> SearchResult:
        settings = SearchSettings(steps=10)
        networks = generator.as_chain(), discriminator.features
        return LatentSearch(*networks, 8, settings, batch_size)(images)

    assert_same(search(2), search(5))


def test_neighbours_that_stop_early_change_nothing() -> None:
    images = mixed_images(7)
    together = small_search(7, **STOPPING)(images)
    for batch_size in (1, 3):
        assert_alike(small_search(batch_size, **STOPPING)(images), together)
    order = [4, 2, 6, 0, 1, 5, 3]
    assert_alike(small_search(3, **STOPPING)(images[order]), in_order(together, order))
    assert len(set(together.steps.tolist())) > 2, "they stop at different times"
    assert torch.equal(together.converged, together.steps < 40)
    assert together.converged.any()
    assert not together.converged.all()


@pytest.mark.parametrize("settings", [{"steps": 12}, STOPPING], ids=["paper", "stopping"])
def test_progress_adds_up(settings: dict[str, Any]) -> None:
    seen: list[SearchProgress] = []
    images = mixed_images(7)
    found = small_search(3, **settings)(images, progress=seen.append)
    steps = settings["steps"]
    assert {(progress.images, progress.planned) for progress in seen} == {(7, 7 * steps)}
    for before, after in itertools.pairwise(seen):
        assert before.done <= after.done
        assert before.saved <= after.saved
        assert before.spent < after.spent <= before.spent + 3
    last = seen[-1]
    assert [progress.done for progress in seen].index(7) == len(seen) - 1, "called to the end only"
    assert last.spent == int(found.steps.sum())
    assert last.spent + last.saved == last.planned
    assert (last.saved > 0) == bool(found.converged.any()) == (settings is STOPPING)


def test_scores_at_marks_are_those_of_shorter_searches() -> None:
    images, marks = mixed_images(5), (1, 4, 12)
    found = small_search(2, steps=12)(images, marks=marks)
    assert found.score_at.shape == (5, 3)
    for column, mark in enumerate(marks):
        shorter = small_search(2, steps=mark)(images)
        torch.testing.assert_close(found.score_at[:, column], shorter.score, rtol=1e-6, atol=0)
    assert small_search(2, steps=2)(images).score_at.shape == (5, 0)


def test_a_mark_behind_the_end_has_the_final_score() -> None:
    images, marks = mixed_images(7), (5, 12, 40)
    found = small_search(3, **STOPPING)(images, marks=marks)
    endless = small_search(3, **{**STOPPING, "stop_tolerance": 0.0})(images, marks=marks)
    for row, steps in enumerate(found.steps.tolist()):
        for column, mark in enumerate(marks):
            expected = endless.score_at[row, column] if steps >= mark else found.score[row]
            torch.testing.assert_close(found.score_at[row, column], expected, rtol=1e-6, atol=0)
    assert (found.steps < 40).any()


def test_given_latent_vectors_are_where_it_starts() -> None:
    images = random_images(5)
    start = torch.randn(5, LATENT, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    kept = start.clone()
    assert torch.equal(small_search(2, steps=0)(images, start=start).latent, start.float())
    # Adam's first step is its step size, along or against each axis.
    moved = small_search(2, steps=1, learning_rate=0.25)(images, start=start).latent
    torch.testing.assert_close((moved - start.float()).abs(), torch.full((5, LATENT), 0.25))
    assert torch.equal(start, kept)


def test_what_is_prepared_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    images, settings = random_images(5), {"steps": 3, "start": "regression"}
    expected = small_search(2, **settings)(images)
    search = small_search(2, **settings)
    search.prepare(images[:2])
    monkeypatch.setattr("anogan_plugin.latent_search.search.RegressionStart", None)
    assert_same(search(images), expected)


def test_without_steps_the_start_is_scored() -> None:
    seen: list[SearchProgress] = []
    images = random_images(5)
    found = small_search(2, steps=0)(images, progress=seen.append)
    draw = torch.randn(1, LATENT, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found.latent, draw.repeat(5, 1))
    assert found.steps.tolist() == [0] * 5
    assert not found.converged.any()
    assert (seen[-1].done, seen[-1].spent, seen[-1].planned) == (5, 0, 0)


def test_images_are_read_once_and_not_before_their_turn() -> None:
    images = mixed_images(7)
    expected = small_search(3, **STOPPING)(images)
    source = Reading(images)
    begun_before_end: list[int] = []

    def note(progress: SearchProgress) -> None:
        begun_before_end.append(len(source.reads) - progress.done)

    assert_same(small_search(3, **STOPPING)(source, progress=note), expected)
    assert source.reads == list(range(7))
    assert max(begun_before_end) == 3
    assert_same(small_search(3, **STOPPING)(list(images)), expected)


def test_a_stream_yields_every_image_once_as_it_ends() -> None:
    images = mixed_images(7)
    expected = small_search(3, **STOPPING)(images)
    seen: list[SearchProgress] = []
    ended: list[int] = []
    parts = []
    for part in small_search(3, **STOPPING).stream(images, progress=seen.append):
        ended += part.index.tolist()
        assert seen[-1].done == len(ended), "nothing is held back"
        parts.append(part)
    assert sorted(ended) == list(range(7))
    assert len(parts) > 3
    assert_same(SearchResult.joined(parts), expected)


def test_a_stream_keeps_nothing_that_it_has_yielded() -> None:
    alive: list[weakref.ref[torch.Tensor]] = []
    most = 0
    for part in small_search(2, steps=3).stream(Reading(random_images(12))):
        alive.append(weakref.ref(part.reconstruction))
        del part
        most = max(most, sum(kept() is not None for kept in alive))
    assert len(alive) == 6
    assert most <= 2  # the one just yielded, and the one before until the next is there


def live_images() -> int:
    tensors = [item for item in gc.get_objects() if type(item) is torch.Tensor]
    return sum(len(tensor) for tensor in tensors if tensor.shape[1:] == (1, SIDE, SIDE))


def test_images_that_have_ended_are_forgotten() -> None:
    counts = []
    for total in (4, 20):
        alive = 0
        for part in small_search(2, steps=2).stream(Reading(random_images(total))):
            if total - 1 in part.index:
                alive = live_images() - total  # the source's own
        counts.append(alive)
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("none", [torch.zeros(0, 1, SIDE, SIDE), []], ids=["tensor", "list"])
def test_no_images_are_refused(none: Any) -> None:
    with pytest.raises(ValueError, match="at least one image"):
        small_search(steps=1)(none)


class Memory:
    """Stands before an objective's gradient and has room for a few images only."""

    def __init__(self, search: LatentSearch, room: int, error: Exception) -> None:
        self._compute = search.descent.loss_and_gradient
        self._room = room
        self._error = error
        self.sizes: list[int] = []

    def __call__(self, latent: torch.Tensor, *others: torch.Tensor) -> Any:
        self.sizes.append(len(latent))
        if len(latent) > self._room:
            raise self._error
        return self._compute(latent, *others)


def search_with(
    monkeypatch: pytest.MonkeyPatch, room: int, error: Exception, **settings: Any
) -> tuple[LatentSearch, Memory]:
    search = small_search(4, **settings)
    memory = Memory(search, room, error)
    monkeypatch.setattr(search.descent, "loss_and_gradient", memory)
    return search, memory


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 MiB"),
        MemoryError(),
    ],
    ids=["processor", "GPU", "Python"],
)
@pytest.mark.parametrize("settings", [{"steps": 6}, STOPPING], ids=["paper", "stopping"])
def test_when_memory_runs_out_it_goes_on_with_half(
    settings: dict[str, Any], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = mixed_images(7)
    with no_warning_of_a_search():
        expected = small_search(4, **settings)(images)
    search, memory = search_with(monkeypatch, 2, error, **settings)
    seen: list[SearchProgress] = []
    with pytest.warns(UserWarning, match="going on with 2 images") as warned:
        found = search(images, progress=seen.append)
    assert len(warned) == 1
    assert_alike(found, expected)
    assert [size for size in memory.sizes if size > 2] == [4], "it is tried once"
    assert seen[-1].spent + seen[-1].saved == seen[-1].planned


def test_memory_for_not_even_one_image_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory")
    search, memory = search_with(monkeypatch, 0, error, steps=3)
    with pytest.warns(UserWarning, match="going on with"), pytest.raises(RuntimeError) as raised:
        search(random_images(4))
    assert raised.value is error
    assert memory.sizes == [4, 2, 1]


def test_any_other_error_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("shapes do not match")
    search, memory = search_with(monkeypatch, 2, error, steps=3)
    with pytest.raises(RuntimeError) as raised, no_warning_of_a_search():
        search(random_images(4))
    assert raised.value is error
    assert memory.sizes == [4]
