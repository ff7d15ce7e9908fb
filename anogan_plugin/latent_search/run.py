# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One run over many images: as soon as one has ended its search, the next takes its place."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import torch

from anogan_plugin.latent_search.active import ActiveImages
from anogan_plugin.latent_search.capacity import is_out_of_memory
from anogan_plugin.latent_search.objective import Losses, Objective
from anogan_plugin.latent_search.result import SearchProgress, SearchResult
from anogan_plugin.latent_search.settings import SearchSettings


class ImageSource(Protocol):
    """N images: a tensor ``(N, C, H, W)``, a list, or anything that gives them one by one.

    N may grow while the images are read. They are read in order, and each once, unless a saved
    search is taken up, goes on in the generator's first feature map, or is one of several.
    """

    def __len__(self) -> int:
        """N."""

    def __getitem__(self, index: int, /) -> torch.Tensor:
        """Image ``index`` from 0 to N − 1, ``(C, H, W)``."""


Start = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class SearchRun:
    """The state of one search over many images, advanced step by step.

    Memory is bounded by the batch: an image is read when its search begins and forgotten when it
    has ended. When memory runs out all the same, the batch is halved and the step taken again.

    Args:
        descent: Loss and gradient of a step.
        exact: The float32 losses that are reported.
        settings: How to descend.
        start: Latent vectors ``(B, Z)`` to start from, for positions ``(B,)`` among all images and
            the images ``(B, C, H, W)`` there.
        images: ``(N, C, H, W)``, or a sequence of N images ``(C, H, W)``.
        marks: Step marks at which to report the score.
        batch_size: Images at once.
        device: Where the networks are.
    """

    def __init__(
        self,
        descent: Objective,
        exact: Objective,
        settings: SearchSettings,
        start: Start,
        images: ImageSource,
        marks: Sequence[int],
        batch_size: int,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.images = images
        self.marks = tuple(marks)
        self.batch_size = batch_size
        self._descent = descent
        self._exact = exact
        self._start = start
        self._device = device
        self._active: ActiveImages | None = None
        self._next = 0  # the first image that has not begun
        self._ended = 0
        self._spent = 0
        self._saved = 0

    @property
    def finished(self) -> bool:
        """Whether every image's search has ended."""
        return self._ended == len(self.images)

    @property
    def progress(self) -> SearchProgress:
        """How far it is."""
        count = len(self.images)
        return SearchProgress(
            count, self._ended, self._spent, self._saved, count * self.settings.steps
        )

    def advance(self) -> SearchResult | None:
        """Fill the batch, take one step with every image in it, and let go of those that end.

        Returns:
            The images that ended, or None.
        """
        self._fill()
        active = self._active
        assert active is not None
        if self.settings.steps > 0:
            loss, gradient = self._in_memory(
                self._descent.loss_and_gradient, active.latent, active.images, active.features
            )
            active.step(loss, gradient, self.settings)
            self._spent += len(active)
            self._note_marks(active)
        ends, converged = active.stops(self.settings)
        if not ends.any():
            return None
        leaving = active.rows(ends)
        self._active = active.rows(~ends)
        self._ended += len(leaving)
        self._saved += int((self.settings.steps - leaving.taken).sum())
        return self._result(leaving, converged[ends])

    def results_of(self, state: dict[str, torch.Tensor]) -> SearchResult:
        """Results of images that ended before the run was saved.

        Args:
            state: ``index``, ``taken``, ``latent``, ``at_marks`` and ``converged`` of them.

        Returns:
            Their results, from their latent vectors.
        """
        images = self._read(state["index"].tolist())
        return self._result(self._begun(state["index"], images, state), state["converged"])

    def state(self) -> dict[str, Any]:
        """What is needed to go on later, without the images; later steps leave it as it is."""
        active = {} if self._active is None else self._active.tensors()
        counts = {
            "next": self._next,
            "ended": self._ended,
            "spent": self._spent,
            "saved": self._saved,
        }
        kept = [name for name in active if name not in ("images", "features")]
        return {**counts, "active": {name: active[name].clone() for name in kept}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        Args:
            state: What :meth:`state` returned.
        """
        self._next, self._ended = state["next"], state["ended"]
        self._spent, self._saved = state["spent"], state["saved"]
        if len(state["active"].get("index", ())):
            index = state["active"]["index"]
            self._active = self._begun(index, self._read(index.tolist()), state["active"])

    def _fill(self) -> None:
        room = self.batch_size - (0 if self._active is None else len(self._active))
        until = min(self._next + room, len(self.images))
        if until <= self._next:
            return
        index = torch.arange(self._next, until)
        images = self._read(index.tolist())
        begun = self._begun(index, images, {"latent": self._start(index, images)})
        self._note_marks(begun)
        self._active = begun if self._active is None else self._active.joined(begun)
        self._next = until

    def _begun(
        self, index: torch.Tensor, images: torch.Tensor, state: dict[str, torch.Tensor]
    ) -> ActiveImages:
        (features,) = self._in_memory(lambda part: (self._descent.extract(part),), images)
        latent = state["latent"].to(self._device)
        begun = ActiveImages.starting(index, latent, images, features, len(self.marks))
        for name, value in state.items():
            if name in begun.tensors():
                setattr(begun, name, value.to(getattr(begun, name).device))
        return begun

    def _read(self, index: list[int]) -> torch.Tensor:
        images = torch.stack([self.images[i] for i in index])
        return images.to(self._device, torch.float32, memory_format=torch.channels_last)

    def _note_marks(self, active: ActiveImages) -> None:
        for column, rows in active.at(self.marks):
            active.at_marks[rows, column] = self._losses(active.rows(rows)).total.cpu()

    def _losses(self, active: ActiveImages) -> Losses:
        return Losses(*self._in_memory(self._exact.losses, active.latent, active.images))

    def _in_memory(
        self, function: Callable[..., Iterable[torch.Tensor]], *tensors: torch.Tensor
    ) -> list[torch.Tensor]:
        """Apply a function of B images to parts of the batch that fit in memory."""
        while True:
            parts = zip(*(tensor.split(self.batch_size) for tensor in tensors), strict=True)
            try:
                results = [function(*part) for part in parts]
                return [torch.cat(values) for values in zip(*results, strict=True)]
            except (RuntimeError, MemoryError) as error:
                tried = min(self.batch_size, len(tensors[0]))
                if not is_out_of_memory(error) or tried == 1:
                    raise
            self.batch_size = tried // 2
            warnings.warn(
                f"out of memory in the latent search: going on with {self.batch_size} images at "
                "once, which changes no more than the last digits; give batch_size to begin with "
                "fewer",
                stacklevel=2,
            )

    def _result(self, ended: ActiveImages, converged: torch.Tensor) -> SearchResult:
        losses = self._losses(ended)
        score = losses.total.cpu()
        return SearchResult(
            index=ended.index,
            latent=ended.latent,
            reconstruction=losses.reconstruction,
            residual=losses.residual,
            discrimination=losses.discrimination,
            score=losses.total,
            steps=ended.taken,
            converged=converged,
            score_at=torch.where(ended.at_marks.isnan(), score[:, None], ended.at_marks),
        )
