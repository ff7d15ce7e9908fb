# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The steps of images that come and go, against torch's own Adam, and when they stop."""

from collections.abc import Callable, Sequence

import pytest
import torch

from anogan_plugin.latent_search import SearchSettings
from anogan_plugin.latent_search.active import ActiveImages
from tests.latent_search.small import LATENT

STEPS = 50


def starting(latent: torch.Tensor, first: int = 0, marks: int = 0) -> ActiveImages:
    count = len(latent)
    images = torch.arange(first, first + count).float().reshape(-1, 1, 1, 1)
    return ActiveImages.starting(
        torch.arange(first, first + count), latent.clone(), images, 10 * images, marks
    )


def latents(count: int) -> torch.Tensor:
    return torch.randn(count, LATENT, generator=torch.Generator().manual_seed(0))


def loss_of(latent: torch.Tensor) -> torch.Tensor:
    """A valley that bends, steep in one direction and flat in the other."""
    along, across = latent[:, 0], latent[:, 1]
    return (1 - along) ** 2 + 10 * (across - along**2) ** 2 + latent[:, 2:].abs().sum(1)


def step(active: ActiveImages, settings: SearchSettings) -> None:
    latent = active.latent.clone().requires_grad_()
    loss = loss_of(latent)
    (gradient,) = torch.autograd.grad(loss.sum(), latent)
    active.step(loss.detach(), gradient, settings)


def torchs_adam(
    start: torch.Tensor,
    settings: SearchSettings,
    steps: int = STEPS,
    share: Callable[[int], float] = lambda taken: 1.0,
) -> torch.Tensor:
    """Where torch's Adam and learning rate scheduler go from one start."""
    latent = start[None].clone().requires_grad_()
    adam = torch.optim.Adam([latent], lr=settings.learning_rate, betas=settings.betas)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, share)
    for _ in range(steps):
        adam.zero_grad()
        loss_of(latent).sum().backward()
        adam.step()
        schedule.step()
    return latent.detach()[0]


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.9), (0.0, 0.5)])
def test_every_step_is_torchs_adam(betas: tuple[float, float]) -> None:
    settings = SearchSettings(steps=STEPS, betas=betas, learning_rate=0.05)
    active = starting(latents(4))
    for _ in range(STEPS):
        step(active, settings)
    expected = torch.stack([torchs_adam(start, settings) for start in latents(4)])
    torch.testing.assert_close(active.latent, expected, rtol=1e-6, atol=1e-6)
    assert active.taken.tolist() == [STEPS] * 4


def test_with_cosine_it_is_torchs_adam_with_torchs_schedule() -> None:
    settings = SearchSettings(steps=STEPS, betas=(0.8, 0.9), learning_rate=0.1, schedule="cosine")
    active = starting(latents(3))
    for _ in range(STEPS):
        step(active, settings)
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR
    parameter = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([parameter], lr=1.0)
    schedule = torchs(optimiser, STEPS)
    shares: list[float] = []
    for _ in range(STEPS + 1):
        shares.append(float(schedule.get_last_lr()[0]))
        optimiser.step()
        schedule.step()
    expected = torch.stack(
        [torchs_adam(start, settings, share=lambda taken: shares[taken]) for start in latents(3)]
    )
    torch.testing.assert_close(active.latent, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_who_joins_late_begins_at_the_first_step(schedule: str) -> None:
    settings = SearchSettings(steps=STEPS, learning_rate=0.05, schedule=schedule)
    start = latents(5)
    alone = starting(start[3:])
    together = starting(start[:3])
    for _ in range(7):
        step(together, settings)
    early = together.latent.clone()
    together = together.joined(starting(start[3:], first=3))
    assert torch.equal(together.latent, torch.cat([early, start[3:]]))
    for _ in range(20):
        step(together, settings)
        step(alone, settings)
    assert together.taken.tolist() == [27, 27, 27, 20, 20]
    assert torch.equal(together.latent[3:], alone.latent)
    if schedule == "constant":
        expected = [torchs_adam(start[row], settings, 27 if row < 3 else 20) for row in range(5)]
        torch.testing.assert_close(together.latent, torch.stack(expected), rtol=1e-6, atol=1e-6)


def test_who_leaves_takes_everything_along() -> None:
    settings = SearchSettings(steps=STEPS)
    active = starting(latents(4), first=10, marks=2)
    undisturbed = starting(latents(4), first=10, marks=2)
    step(active, settings)
    step(undisturbed, settings)
    gone = active.rows(torch.tensor([False, True, False, True]))
    stay = active.rows(torch.tensor([True, False, True, False]))
    assert (len(gone), len(stay)) == (2, 2)
    assert gone.index.tolist() == [11, 13]
    assert gone.images.flatten().tolist() == [11, 13]
    assert gone.features.flatten().tolist() == [110, 130]
    step(gone, settings)
    back = stay.joined(gone)
    assert back.index.tolist() == [10, 12, 11, 13]
    step(undisturbed, settings)
    assert torch.equal(gone.latent, undisturbed.latent[[1, 3]])
    assert torch.equal(stay.latent, active.latent[[0, 2]]), "rows are copies"


def stopped_after(losses: Sequence[Sequence[float]], settings: SearchSettings) -> list[list[int]]:
    """Steps after which images with these losses end, and whether they have converged."""
    table = torch.tensor(losses)
    active = starting(torch.zeros(len(table), LATENT))
    ends: dict[int, list[int]] = {}
    for taken in range(table.shape[1]):
        active.step(table[active.index, taken], torch.zeros(len(active), LATENT), settings)
        ending, converged = active.stops(settings)
        for index, due in zip(active.index[ending].tolist(), converged[ending], strict=True):
            ends[index] = [taken + 1, int(due)]
        active = active.rows(~ending)
    return [ends.get(index, []) for index in range(len(table))]


def test_when_it_stops_by_hand() -> None:
    settings = SearchSettings(steps=12, stop_tolerance=0.1, stop_window=3)
    losses = [
        # The lowest of the second window, 84, is not below 0.9·92 = 82.8.
        [100, 95, 92, 90, 85, 84, 1, 1, 1, 1, 1, 1],
        # 82 is; 74 is not below 0.9·82 = 73.8.
        [100, 95, 92, 90, 85, 82, 81, 80, 74, 1, 1, 1],
        # The lowest of a window counts, not its last: 44 is below 45, and 40 is not below 39.6.
        [100, 50, 200, 60, 44, 70, 99, 40, 99, 1, 1, 1],
        # A window that rises does not forget what was reached before it.
        [10, 10, 10, 20, 20, 20, 11, 11, 11, 1, 1, 1],
        # The first window has nothing to be compared with, and falls go on to the last step.
        [100, 100, 100, 80, 80, 80, 60, 60, 60, 40, 40, 40],
        # Where it would stop at the last step it has not saved any.
        [100, 100, 100, 80, 80, 80, 60, 60, 60, 59, 59, 59],
        # Nothing is left to gain.
        [0] * 12,
    ]
    assert stopped_after(losses, settings) == [
        [6, 1],
        [9, 1],
        [9, 1],
        [6, 1],
        [12, 0],
        [12, 0],
        [6, 1],
    ]


def test_who_joins_late_has_a_window_of_its_own() -> None:
    settings = SearchSettings(steps=9, stop_tolerance=0.1, stop_window=3)
    active = starting(torch.zeros(1, LATENT))
    zero = torch.zeros(2, LATENT)
    for _ in range(2):
        active.step(torch.tensor([5.0]), zero[:1], settings)
        active.stops(settings)
    active = active.joined(starting(torch.zeros(1, LATENT), first=1))
    stops = []
    for _ in range(6):
        active.step(torch.full((2,), 5.0), zero, settings)
        stops.append(active.stops(settings)[1].tolist())
    #   steps taken:  3, 1           4, 2            5, 3            6, 4
    assert stops[:4] == [[False, False], [False, False], [False, False], [True, False]]
    assert stops[5] == [False, True]


def test_a_tolerance_of_0_never_stops() -> None:
    settings = SearchSettings(steps=8, stop_tolerance=0.0, stop_window=2)
    assert stopped_after([[3.0] * 8, [0.0] * 8], settings) == [[8, 0], [8, 0]]


def test_marks_are_passed_once() -> None:
    settings = SearchSettings(steps=9)
    active = starting(torch.zeros(2, LATENT), marks=2)
    reached = []
    for taken in range(1, 6):
        active.step(torch.ones(2), torch.zeros(2, LATENT), settings)
        reached += [(taken, column, rows.tolist()) for column, rows in active.at((2, 4))]
    assert reached == [(2, 0, [True, True]), (4, 1, [True, True])]
    assert active.at_marks.isnan().all()
