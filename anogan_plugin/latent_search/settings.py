# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How a latent search descends: what changes scores, and so belongs beside every number."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch

from anogan_plugin.latent_search.precision import PRECISIONS
from anogan_plugin.presets import with_overrides

SCHEDULES = ("constant", "cosine")
STARTS = ("random", "regression")
DESCENTS = ("total", "residual")


@dataclass(frozen=True)
class SearchSettings:
    """How the search descends; a number scored with other settings is another experiment.

    Args:
        steps: Most gradient steps per image, the paper's Γ.
        discrimination_weight: λ, the weight of the discrimination loss, in [0, 1].
        learning_rate: Step size of Adam; the papers do not give theirs.
        betas: Adam's decays of the first and the second moment, in [0, 1).
        schedule: ``"constant"``, or ``"cosine"`` for a step size that falls to 0 at the last step.
        start: z₁: ``"random"`` for one draw from N(0, I), the same for every image, or
            ``"regression"`` for a linear guess from x, fitted to images that G makes.
        descend_on: ``"total"`` for L(z), or ``"residual"`` to leave f out of the descent, which
            halves its cost; the score holds both parts either way.
        stop_tolerance: An image stops early once its lowest loss has fallen by less than this share
            over ``stop_window`` steps; 0 never stops.
        stop_window: Length of that window in steps.
        map_steps: Gradient steps after the others in G's first feature map instead of its latent
            space (Daras et al. 2021), which reaches more of what good images vary in; 0 for none.
        map_learning_rate: Adam's first step size there, in standard deviations of the map.
        guesses: Searches of each image, every one from the guess of another regression, whose
            latent vectors are averaged, so that less of where a search began is left in them.
            Reconstruction and losses are the first one's. 1 for one search.
        seed: Seed of z₁, or of the images that the regression is fitted to.
        precision: What the networks descend in: ``"fp32"``, ``"bf16"``, or ``"auto"`` for bf16
            where the machine has instructions for it, so that scores differ a little from machine
            to machine. The latent vectors, the losses and the final scores are float32 in all.

    Raises:
        ValueError: If a value is outside its range.
    """

    steps: int = 500
    discrimination_weight: float = 0.1
    learning_rate: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: str = "constant"
    start: str = "random"
    descend_on: str = "total"
    stop_tolerance: float = 0.0
    stop_window: int = 500
    map_steps: int = 0
    map_learning_rate: float = 0.05
    guesses: int = 1
    seed: int = 0
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("steps", "map_steps"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 0:
                _refuse(name, "a whole number of at least 0", getattr(self, name))
        if not isinstance(self.guesses, int) or self.guesses < 1:
            _refuse("guesses", "a whole number of at least 1", self.guesses)
        if self.guesses > 1 and self.start == "random":
            _refuse("guesses", "1 where the search starts from a random vector", self.guesses)
        if not 0 <= self.discrimination_weight <= 1:
            _refuse("discrimination_weight", "in [0, 1]", self.discrimination_weight)
        for name in ("learning_rate", "map_learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                _refuse(name.replace("_", " "), "positive", getattr(self, name))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            _refuse("betas", "two numbers in [0, 1)", self.betas)
        if not 0 <= self.stop_tolerance < 1:
            _refuse("stop_tolerance", "in [0, 1)", self.stop_tolerance)
        if self.stop_window < 1:
            _refuse("stop_window", "at least 1", self.stop_window)
        for name, choices in (
            ("schedule", SCHEDULES),
            ("start", STARTS),
            ("descend_on", DESCENTS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in choices:
                _refuse(name, f"one of {choices}", getattr(self, name))
        if 0 < self.steps < self.stop_window and self.stop_tolerance > 0:
            _refuse(
                "stop_tolerance", f"0 for fewer than {self.stop_window} steps", self.stop_tolerance
            )
        if self.descend_on == "residual" and self.discrimination_weight == 1:
            expected = "below 1 where the search descends on the residual alone"
            _refuse("discrimination_weight", expected, self.discrimination_weight)

    def in_the_map(self, deviation: float) -> "SearchSettings":
        """The settings of the steps in G's first feature map.

        Args:
            deviation: Standard deviation of that map's values.

        Returns:
            Settings of a search that starts where it is told to.
        """
        return dataclasses.replace(
            self,
            steps=self.map_steps,
            learning_rate=self.map_learning_rate * deviation,
            start="random",
            stop_tolerance=0.0,
            map_steps=0,
            guesses=1,
        )

    def other_guesses(self) -> "list[SearchSettings]":
        """The settings of the searches whose latent vectors are averaged with this one's."""
        seeds = range(self.seed + 1, self.seed + self.guesses)
        return [dataclasses.replace(self, map_steps=0, guesses=1, seed=seed) for seed in seeds]

    def step_sizes(self, taken: torch.Tensor) -> torch.Tensor:
        """Adam's step size of the next step.

        Args:
            taken: ``(B,)`` steps taken so far.

        Returns:
            ``(B,)`` float64 step sizes.
        """
        sizes = torch.full_like(taken, self.learning_rate, dtype=torch.float64)
        if self.schedule == "cosine":
            sizes *= 0.5 * (1 + torch.cos(math.pi * taken.double() / self.steps))
        return sizes


def _refuse(name: str, expected: str, found: object) -> None:
    msg = f"search {name} must be {expected}, got {found!r}"
    raise ValueError(msg)


_FAST = SearchSettings(
    # A guess to start from is only refined: a short memory of past gradients suits few steps, and a
    # step size that falls to zero lets them settle.
    steps=75,
    learning_rate=0.1,
    betas=(0.8, 0.9),
    schedule="cosine",
    start="regression",
    descend_on="residual",
)

SEARCHES = {
    # Schlegl et al. 2017, sec. 2.2, and Nakaoka & Kimoto: Γ steps for every image, no shortcut.
    "paper": SearchSettings(),
    "fast": _FAST,
    # Few enough steps in the map that it takes up good parts' variation and not yet the defect.
    "refined": dataclasses.replace(_FAST, map_steps=15),
    # For where z itself is measured; both together take about as many steps as the fast one.
    "averaged": dataclasses.replace(_FAST, steps=40, guesses=2),
}


def search_settings(search: str, **overrides: Any) -> SearchSettings:
    """Take a named search and replace what the user gave.

    Args:
        search: Name in :data:`SEARCHES`.
        overrides: Fields of :class:`SearchSettings`; None keeps the named search's value.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such search, or a value is out of its range.

    Example:
        >>> search_settings("paper", steps=100_000, seed=None).steps
        100000
    """
    return with_overrides("search", SEARCHES, search, overrides)
