# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The images that are being searched for right now: Adam for each by itself, and when it stops."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from anogan_plugin.latent_search.adam import Moments, adam_step, step_scales
from anogan_plugin.latent_search.settings import SearchSettings


@dataclass
class ActiveImages:
    """State of the search for B images, each with its own step count, so that any may come or go.

    Attributes:
        index: ``(B,)`` int64 position of each image among all images.
        taken: ``(B,)`` int64 steps taken.
        latent: ``(B, Z)`` float32 latent vectors.
        mean: ``(B, Z)`` float32, Adam's first moment.
        square: ``(B, Z)`` float32, Adam's second moment.
        lowest: ``(B,)`` float32 lowest loss so far.
        lowest_then: ``(B,)`` float32 lowest loss before the current window of the stopping rule.
        at_marks: ``(B, M)`` float32 scores at the step marks passed, NaN at those ahead.
        images: ``(B, C, H, W)`` float32.
        features: ``(B, ...)`` float32 f(x).
    """

    index: torch.Tensor
    taken: torch.Tensor
    latent: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    lowest: torch.Tensor
    lowest_then: torch.Tensor
    at_marks: torch.Tensor
    images: torch.Tensor
    features: torch.Tensor

    @classmethod
    def starting(
        cls,
        index: torch.Tensor,
        latent: torch.Tensor,
        images: torch.Tensor,
        features: torch.Tensor,
        marks: int,
    ) -> "ActiveImages":
        """Images before their first step.

        Args:
            index: ``(B,)`` int64.
            latent: ``(B, Z)`` float32, z₁.
            images: ``(B, C, H, W)`` float32.
            features: ``(B, ...)`` float32.
            marks: Number of step marks M.

        Returns:
            Their state.
        """
        count = len(index)
        return cls(
            index=index,
            taken=torch.zeros(count, dtype=torch.int64),
            latent=latent,
            mean=torch.zeros_like(latent),
            square=torch.zeros_like(latent),
            lowest=torch.full((count,), torch.inf),
            lowest_then=torch.full((count,), torch.inf),
            at_marks=torch.full((count, marks), torch.nan),
            images=images,
            features=features,
        )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.index)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All of the state by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def rows(self, chosen: torch.Tensor) -> "ActiveImages":
        """Some of the images.

        Args:
            chosen: ``(B,)`` bool on the CPU.

        Returns:
            Their state, copied.
        """
        return ActiveImages(
            **{name: value[chosen.to(value.device)] for name, value in self.tensors().items()}
        )

    def joined(self, others: "ActiveImages") -> "ActiveImages":
        """These images and others, in that order."""
        theirs = others.tensors()
        return ActiveImages(
            **{name: torch.cat([value, theirs[name]]) for name, value in self.tensors().items()}
        )

    def step(self, loss: torch.Tensor, gradient: torch.Tensor, settings: SearchSettings) -> None:
        """Take one step of Adam and remember the loss before it.

        Args:
            loss: ``(B,)`` losses at the latent vectors as they are.
            gradient: ``(B, Z)`` gradients there.
            settings: Step sizes and decays.
        """
        rates, corrections = step_scales(self.taken, settings)
        scales = self._column(rates), self._column(corrections)
        before = Moments(self.latent, self.mean, self.square)
        self.latent, self.mean, self.square = adam_step(before, gradient, scales, settings.betas)
        self.taken += 1
        if settings.stop_tolerance > 0:  # else nobody asks, and a GPU need not wait
            self.lowest = torch.minimum(self.lowest, loss.cpu())

    def stops(self, settings: SearchSettings) -> tuple[torch.Tensor, torch.Tensor]:
        """Which images have come to their end, called once after every step.

        Args:
            settings: Γ and the stopping rule.

        Returns:
            ``(B,)`` bool each: whether it ends now, and whether because it converged.
        """
        spent = self.taken >= settings.steps
        converged = torch.zeros_like(spent)
        if settings.stop_tolerance == 0:
            return spent, converged
        due = self.taken % settings.stop_window == 0
        if due.any():
            enough = self.lowest < (1 - settings.stop_tolerance) * self.lowest_then
            converged = due & ~enough & self.lowest.isfinite()  # NaN falls by nothing, too
            self.lowest_then = torch.where(due, self.lowest, self.lowest_then)
        return spent | converged, converged & ~spent

    def at(self, marks: Sequence[int]) -> list[tuple[int, torch.Tensor]]:
        """Which images have just reached a step mark.

        Args:
            marks: Numbers of steps.

        Returns:
            For each mark that any image has reached, its position and ``(B,)`` bool.
        """
        reached = [(column, self.taken == mark) for column, mark in enumerate(marks)]
        return [(column, rows) for column, rows in reached if rows.any()]

    def _column(self, values: torch.Tensor) -> torch.Tensor:
        return values.to(self.latent)[:, None]
