# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a latent search reports: while it runs, and when it has ended."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Attributes:
        images: Number of images.
        done: Images whose search has ended.
        spent: Gradient steps taken, summed over images.
        saved: Gradient steps that early stops made unnecessary.
        planned: Gradient steps without any early stop, images times Γ.
    """

    images: int
    done: int
    spent: int
    saved: int
    planned: int


Progress = Callable[[SearchProgress], None]


@dataclass(frozen=True)
class SearchResult:
    """What the search found for B images; float tensors are float32, all are detached.

    ``index``, ``steps``, ``converged`` and ``score_at`` are on the CPU, the others on the networks'
    device.

    Attributes:
        index: ``(B,)`` int64 position of each image in what was searched.
        latent: ``(B, Z)`` latent vectors z_Γ.
        reconstruction: ``(B, C, H, W)`` images G(z_Γ), in the generator's range.
        residual: ``(B,)`` residual losses R(x) = Σ|x − G(z_Γ)|, in the images' grey levels.
        discrimination: ``(B,)`` discrimination losses D(x) = Σ|f(x) − f(G(z_Γ))|.
        score: ``(B,)`` anomaly scores A(x) = (1 − λ)·R(x) + λ·D(x).
        steps: ``(B,)`` int64 gradient steps taken.
        converged: ``(B,)`` bool, whether the stopping rule ended the search before Γ.
        score_at: ``(B, M)`` A(x) after each of the M step marks asked for; the final score at marks
            that an image which converged did not need to reach.
    """

    index: torch.Tensor
    latent: torch.Tensor
    reconstruction: torch.Tensor
    residual: torch.Tensor
    discrimination: torch.Tensor
    score: torch.Tensor
    steps: torch.Tensor
    converged: torch.Tensor
    score_at: torch.Tensor

    @classmethod
    def joined(cls, parts: Sequence["SearchResult"]) -> "SearchResult":
        """Join results and put them in the order of the images.

        Args:
            parts: At least one result.

        Returns:
            All of them in one.
        """
        order = torch.argsort(torch.cat([part.index for part in parts]))
        joined = {}
        for field in dataclasses.fields(cls):
            values = torch.cat([getattr(part, field.name) for part in parts])
            joined[field.name] = values[order.to(values.device)]
        return cls(**joined)
