# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The latent search as one graph, which ``torch.export`` can write to a file."""

from typing import TYPE_CHECKING

import torch

from anogan_plugin.latent_search.adam import Moments, adam_step, step_scales
from anogan_plugin.latent_search.result import SearchResult

if TYPE_CHECKING:
    from anogan_plugin.latent_search.search import LatentSearch, Start


def search_in_graph(search: "LatentSearch", images: torch.Tensor, start: "Start") -> SearchResult:
    """What a search does, as operations on tensors alone: a loop of Γ steps for the whole batch.

    Steps in the first feature map are a second loop, and so is the search from another guess. The
    gradient is the one written out by hand, in float32: what runs such files seldom knows another
    precision, and never autograd.

    Args:
        search: What :func:`check_graph` accepts; it has searched before, so that all it makes once
            is made.
        images: ``(B, C, H, W)`` float32.
        start: ``(B, Z)`` float32 latent vectors to start from, or an encoder that gives them; None
            starts as the settings say.

    Returns:
        What the search finds, without scores at step marks.
    """
    # A prototype of torch, without a public name yet; in ONNX it is a Loop.
    from torch._higher_order_ops.while_loop import while_loop

    settings, objective = search.settings, search.exact
    guess = search.start if start is None else start
    latent = guess if isinstance(guess, torch.Tensor) else guess(images)
    features = objective.extract(images)
    scales = torch.stack(step_scales(torch.arange(settings.steps), settings), dim=1).to(latent)

    def goes_on(taken: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return taken < settings.steps

    def step(taken: torch.Tensor, *moments: torch.Tensor) -> tuple[torch.Tensor, ...]:
        before = Moments(*moments)
        _, gradient = objective.loss_and_gradient(before.latent, images, features)
        rate, correction = scales.index_select(0, taken.reshape(1)).unbind(1)
        return taken + 1, *adam_step(before, gradient, (rate, correction), settings.betas)

    if settings.steps > 0:
        before = (torch.tensor(0), *Moments.starting(latent))
        _, latent, *_ = while_loop(goes_on, step, before)
    losses = objective.losses(latent, images)
    count = images.shape[0]  # len() would fix the number of images
    found = SearchResult(
        index=torch.arange(count),
        latent=latent,
        reconstruction=losses.reconstruction,
        residual=losses.residual,
        discrimination=losses.discrimination,
        score=losses.total,
        steps=torch.full((count,), settings.steps),
        converged=torch.zeros(count, dtype=torch.bool),
        score_at=losses.total[:, None][:, :0],
    )
    return search.averaged(search.refined(found, images), images)


def check_graph(search: "LatentSearch") -> None:
    """Refuse a search that is no graph, before one is made.

    Args:
        search: A search.

    Raises:
        ValueError: If it stops early, or needs autograd.
    """
    if search.settings.stop_tolerance > 0:
        msg = (
            "expected search_stop_tolerance 0 for an export, whose images all take the same "
            f"number of steps, got {search.settings.stop_tolerance}; load the checkpoint with "
            "search_stop_tolerance=0"
        )
        raise ValueError(msg)
    if not search.exact.by_hand:
        msg = (
            "expected plain chains of layers for an export of the search, whose gradient is then "
            "written out by hand; found networks that need autograd, which no file format has"
        )
        raise ValueError(msg)
