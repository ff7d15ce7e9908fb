# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN's iterative mapping from an image to the latent space (Schlegl et al. 2017, sec. 2.2)."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import nn

from anogan_plugin.latent_search.capacity import batch_size_for, bytes_per_image
from anogan_plugin.latent_search.first_map import up_to_first_map
from anogan_plugin.latent_search.graph import search_in_graph
from anogan_plugin.latent_search.objective import Objective
from anogan_plugin.latent_search.precision import dtype_of
from anogan_plugin.latent_search.result import Progress, SearchResult
from anogan_plugin.latent_search.run import ImageSource, SearchRun
from anogan_plugin.latent_search.saved import SavedSearch, fingerprint
from anogan_plugin.latent_search.settings import SearchSettings
from anogan_plugin.latent_search.starts import RegressionStart, one_draw

_DRAWS_OF_MAP = 256  # latent vectors that the deviation of G's first feature map is estimated from

Start = torch.Tensor | Callable[[torch.Tensor], torch.Tensor] | None
"""Where searches start: ``(N, Z)`` vectors, what gives ``(B, Z)`` of them for images
``(B, C, H, W)``, or None for what the settings say."""


class LatentSearch:
    """Searches the latent space of a frozen generator for the image nearest to each given one.

    Minimises by Adam, over z alone, and for each image by itself (Nakaoka & Kimoto, sec. 3),

        L(z) = (1 − λ)·Σ|x − G(z)| + λ·Σ|f(x) − f(G(z))|.

    G and f are frozen copies in eval mode, so images of one batch cannot influence one another, and
    the networks handed in are left alone. The batch is kept full: an image that has ended leaves
    it, and the next takes its place. Networks handed in as plain chains of layers
    (:func:`~anogan_plugin.latent_search.chain.is_chain`) have their gradient written out by hand.

    Args:
        generator: G, from ``(B, Z)`` to ``(B, C, H, W)``.
        features: f, from ``(B, C, H, W)`` to ``(B, ...)``.
        latent_size: Z, the length of a latent vector.
        settings: Number and size of the steps, λ, the start and the stopping rule.
        batch_size: Images at once; None takes what fits in half of the free memory, up to 32 on a
            processor.
        compiled: Whether a full batch's step is compiled. It pays for itself in long searches on
            machines with matrix units; the results differ in the last digits.

    Raises:
        ValueError: If the settings ask for steps in the generator's first feature map, and it is no
            sequence of layers with an activation.

    Example:
        >>> generator = nn.Sequential(nn.Unflatten(1, (4, 1, 1)), nn.ConvTranspose2d(4, 1, 4))
        >>> features = nn.Conv2d(1, 2, 4)
        >>> search = LatentSearch(generator, features, 4, SearchSettings(steps=5))
        >>> search(torch.zeros(3, 1, 4, 4)).score.shape
        torch.Size([3])
    """

    def __init__(
        self,
        generator: nn.Module,
        features: nn.Module,
        latent_size: int,
        settings: SearchSettings,
        batch_size: int | None = None,
        compiled: bool = False,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            msg = f"batch_size must be at least 1, or None for what fits, got {batch_size}"
            raise ValueError(msg)
        weight, residual_only = settings.discrimination_weight, settings.descend_on == "residual"
        self.exact = Objective(generator, features, weight, residual_only=residual_only)
        self.latent_size = latent_size
        self.settings = settings
        self.batch_size = batch_size
        self.compiled = compiled
        self.descent = Objective(
            generator,
            features,
            weight,
            dtype_of(settings.precision, self._device),
            residual_only=residual_only,
        )
        if compiled:
            self.descent.compile()
        if settings.map_steps > 0:
            up_to_first_map(generator)  # refuses one that has none

    def __call__(
        self,
        images: ImageSource,
        marks: Sequence[int] = (),
        progress: Progress | None = None,
        start: Start = None,
        save_to: Path | None = None,
    ) -> SearchResult:
        """Search for every image; under ``torch.export`` as one graph, see :mod:`.graph`.

        Args:
            images: ``(N, C, H, W)`` float in the generator's range, or a sequence of N images
                ``(C, H, W)`` that is read as the search goes on.
            marks: Numbers of steps after which to report the score as well.
            progress: Called after every step with how far the search is.
            start: Latent vectors to start from, or an encoder that gives them.
            save_to: File that keeps what has been found; the same call goes on from it.

        Returns:
            The latent vectors found, their reconstructions and losses, in the images' order.

        Raises:
            ValueError: If there are no images, a mark is beyond Γ, ``start`` is given where there
                are several guesses, ``save_to`` belongs to another search, or it is given with an
                encoder, which it can't tell from another.
        """
        if torch.compiler.is_exporting():
            return search_in_graph(self, cast(torch.Tensor, images), start)
        return SearchResult.joined(list(self.stream(images, marks, progress, start, save_to)))

    def stream(
        self,
        images: ImageSource,
        marks: Sequence[int] = (),
        progress: Progress | None = None,
        start: Start = None,
        save_to: Path | None = None,
    ) -> Iterator[SearchResult]:
        """Search as :meth:`__call__`, yielding images as they end, so that none need be kept.

        Args:
            images: As there. A sequence may grow while it is searched: images that it has got in
                the meantime take the place of those that end.
            marks: As there.
            progress: As there.
            start: As there.
            save_to: As there.

        Yields:
            Results of one or more images each, in the order in which they end.

        Raises:
            ValueError: As there.
        """
        if len(images) == 0:
            msg = "expected at least one image to search for, got none"
            raise ValueError(msg)
        if start is not None and self.settings.guesses > 1:
            msg = f"start is for one search, and there are {self.settings.guesses}: give no start"
            raise ValueError(msg)
        if callable(start) and save_to is not None:
            msg = "save_to needs start as latent vectors, got an encoder: give what it makes"
            raise ValueError(msg)
        vectors = (len(images), self.latent_size)
        if isinstance(start, torch.Tensor) and start.shape != vectors:
            msg = (
                f"start must be of shape {vectors}, one latent vector for each image, got "
                f"{tuple(start.shape)}"
            )
            raise ValueError(msg)
        if not all(0 <= mark <= self.settings.steps for mark in marks):
            msg = f"step marks must be from 0 to Γ = {self.settings.steps}, got {tuple(marks)}"
            raise ValueError(msg)
        with self._own_modes():
            run = self._run(images, marks, start)
            saved = None if save_to is None else self._saved_search(save_to, images, marks, start)
            earlier = [] if saved is None else saved.load(run)
        if progress is not None and run.progress.spent:  # where an earlier run left off
            progress(run.progress)
        for ended in earlier:
            with self._own_modes():
                result = run.results_of(ended)
            yield self._completed(result, images)
        try:
            while not run.finished:
                with self._own_modes():
                    found = run.advance()
                if saved is not None:
                    saved.keep(run, found)
                if progress is not None:
                    progress(run.progress)
                if found is not None:
                    yield self._completed(found, images)
        finally:
            if saved is not None:
                saved.write()

    def prepare(self, images: torch.Tensor) -> None:
        """Do now what is done once, before the first search: fit the start, compile the step.

        Args:
            images: ``(B, C, H, W)`` as they will come, a full batch of them.
        """
        with self._own_modes():
            images = images.to(
                self._device, torch.float32, copy=True, memory_format=torch.channels_last
            )
            latent, features = self.start(images), self.descent.extract(images)
            self.descent.loss_and_gradient(latent, images, features)
        for search in self._from_other_guesses:
            search.prepare(images)

    def start(self, images: torch.Tensor) -> torch.Tensor:
        """The latent vectors that the settings start from.

        Args:
            images: ``(B, C, H, W)`` float32 on the networks' device.

        Returns:
            ``(B, Z)`` float32: B copies of one draw, or a guess for each image.
        """
        if self.settings.start == "regression":
            return self._regression(images)
        return self._draw.repeat(images.shape[0], 1).to(images.device)

    @cached_property
    def _draw(self) -> torch.Tensor:
        return one_draw(self.latent_size, self.settings.seed)

    def refined(self, found: SearchResult, images: torch.Tensor) -> SearchResult:
        """Go on in the generator's first feature map, where the settings say so.

        Args:
            found: What the steps in the latent space found for B images.
            images: ``(B, C, H, W)`` float, those images.

        Returns:
            The same with the reconstruction and the losses of the map found, and the steps of both;
            ``found`` itself where ``map_steps`` is 0.
        """
        if self.settings.map_steps == 0:
            return found
        with self._own_modes():
            maps = self._to_first_map(found.latent).flatten(1)
        refined = self._in_first_map(images, start=maps)
        return dataclasses.replace(
            found,
            reconstruction=refined.reconstruction,
            residual=refined.residual,
            discrimination=refined.discrimination,
            score=refined.score,
            steps=found.steps + refined.steps,
        )

    def averaged(self, found: SearchResult, images: torch.Tensor) -> SearchResult:
        """Average the latent vectors over searches from other guesses, where the settings say so.

        Args:
            found: What the search from the first guess found for B images.
            images: ``(B, C, H, W)`` float, those images.

        Returns:
            The same with the mean latent vectors, and the steps of all searches.
        """
        if self.settings.guesses == 1:
            return found
        others = [search(images) for search in self._from_other_guesses]
        latents = torch.stack([found.latent, *(other.latent for other in others)])
        steps = torch.stack([found.steps, *(other.steps for other in others)])
        return dataclasses.replace(found, latent=latents.mean(0), steps=steps.sum(0))

    def _completed(self, found: SearchResult, images: ImageSource) -> SearchResult:
        if self.settings.map_steps == 0 and self.settings.guesses == 1:
            return found  # no image need be read again
        again = torch.stack([images[int(i)] for i in found.index])
        return self.averaged(self.refined(found, again), again)

    @cached_property
    def _from_other_guesses(self) -> "list[LatentSearch]":
        g, f = self.exact.networks.generator, self.exact.networks.features
        return [
            LatentSearch(g, f, self.latent_size, settings, self.batch_size, self.compiled)
            for settings in self.settings.other_guesses()
        ]

    @cached_property
    def _to_first_map(self) -> nn.Sequential:
        return up_to_first_map(self.exact.networks.generator)

    @cached_property
    def _in_first_map(self) -> "LatentSearch":
        draws = torch.randn(
            _DRAWS_OF_MAP, self.latent_size, generator=torch.Generator().manual_seed(0)
        )
        with self._own_modes():
            maps = self._to_first_map(draws.to(self._device))
        rest = list(self.exact.networks.generator.children())[len(self._to_first_map) :]
        return LatentSearch(
            nn.Sequential(nn.Unflatten(1, maps.shape[1:]), *rest),
            self.exact.networks.features,
            maps[0].numel(),
            self.settings.in_the_map(float(maps.std())),
            self.batch_size,
        )

    @cached_property
    def _regression(self) -> RegressionStart:
        generate = self.descent.networks.generate
        return RegressionStart(generate, self.latent_size, self.settings.seed, self._device)

    @property
    def _device(self) -> torch.device:
        networks = (self.exact.networks.generator, self.exact.networks.features)
        tensors = (t for n in networks for t in (*n.parameters(), *n.buffers()))
        return next((tensor.device for tensor in tensors), torch.device("cpu"))

    def _own_modes(self) -> contextlib.ExitStack:
        # Lightning evaluates in inference mode, whose tensors can never take part in autograd, and
        # in autocast where the trainer's precision asks for it; the search's is its own.
        modes = contextlib.ExitStack()
        modes.enter_context(torch.inference_mode(mode=False))
        modes.enter_context(torch.no_grad())
        modes.enter_context(torch.autocast(self._device.type, enabled=False))
        return modes

    def _run(self, images: ImageSource, marks: Sequence[int], start: Start) -> SearchRun:
        def given_or_ours(index: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
            if isinstance(start, torch.Tensor):
                return start[index].float()
            return self.start(batch) if start is None else start(batch)

        batch_size = self.batch_size or self._affordable
        return SearchRun(
            self.descent,
            self.exact,
            self.settings,
            given_or_ours,
            images,
            marks,
            batch_size,
            self._device,
        )

    @cached_property
    def _affordable(self) -> int:
        networks = self.descent.networks
        example = torch.zeros(1, self.latent_size, dtype=networks.dtype, device=self._device)
        per_image = bytes_per_image([networks.generator, networks.features], example)
        return batch_size_for(per_image, self._device)

    def _saved_search(
        self, path: Path, images: ImageSource, marks: Sequence[int], start: Start
    ) -> SavedSearch:
        networks = (self.exact.networks.generator, self.exact.networks.features)
        weights = [weight for network in networks for weight in network.state_dict().values()]
        # A network's representation names its layers: the same weights may stand for another one.
        dtype = self.descent.networks.dtype  # "auto" means another one elsewhere
        parts = [self.settings, dtype, tuple(marks), start, len(images), *map(repr, networks)]
        each = (images[i] for i in range(len(images)))
        return SavedSearch(path, fingerprint(*parts, *weights, *each))
