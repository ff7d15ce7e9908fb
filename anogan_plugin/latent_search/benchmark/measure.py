# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Times each way to search on the same networks and images."""

import time
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from torch.utils.flop_counter import FlopCounterMode

from anogan_plugin.latent_search.benchmark.baselines import as_usual, batched, one_at_a_time
from anogan_plugin.latent_search.benchmark.subject import Subject
from anogan_plugin.latent_search.search import LatentSearch
from anogan_plugin.latent_search.settings import search_settings
from anogan_plugin.latent_search.starts import one_draw

_MEBIBYTE = 2**20
_MATRIX_SIDE = 2048
_MATRIX_RUNS = 8
PAPER_STEPS = 500

MODES: dict[str, dict[str, Any]] = {
    "paper": {"search": "paper", "precision": "auto"},
    "paper_fp32": {"search": "paper"},
    # The same search from another random latent vector: how far the reference agrees with itself.
    "another_start": {"search": "paper", "precision": "auto", "seed": 1},
    "paper_compiled": {"search": "paper", "precision": "auto", "compiled": True},
    "fast": {"search": "fast", "precision": "auto"},
    "fast_fp32": {"search": "fast"},
    # As fast, but deep enough to reach the loss that the paper's search ends with.
    "deep": {"search": "fast", "precision": "auto", "steps": 200},
}
BASELINES = ("one_at_a_time", "batched_fp32")


@dataclass(frozen=True)
class Row:
    """One way to search, measured.

    Attributes:
        mode: Its name.
        images: Images that it was measured on.
        ms_per_image_step: Milliseconds per image and step.
        ms_per_image: Milliseconds per image: all steps and the final score, without the setup.
        steps_per_image: Steps per image.
        auroc: Area under the ROC curve of its scores.
        spearman: Rank correlation with the scores of the plain batched search, the reference.
        loss_ratio: Mean final score over the reference's; at most 1 where it gets as deep.
        relative_difference: Largest |score − reference| / reference of an image.
        peak_fraction: FLOP/s of what our step has to compute over the machine's bf16 matrix peak;
            what a mode computes beyond it does not count.
        setup_seconds: Once for any number of images: freezing, fitting the start, compiling.
        rss_mib: Largest resident memory of the process after any of its steps, in MiB; memory that
            an earlier mode has not given back is counted too.
    """

    mode: str
    images: int
    ms_per_image_step: float
    ms_per_image: float
    steps_per_image: float
    auroc: float
    spearman: float
    loss_ratio: float
    relative_difference: float
    peak_fraction: float
    setup_seconds: float
    rss_mib: float


class _Memory:
    """Largest resident memory seen."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.largest = 0
        self.look()

    def look(self, *_: object) -> None:
        self.largest = max(self.largest, self._process.memory_info().rss)


def matrix_peak(dtype: torch.dtype) -> float:
    """What the machine reaches in a large matrix product, the best of several.

    Args:
        dtype: Of the matrices.

    Returns:
        FLOP/s.
    """
    matrix = torch.randn(_MATRIX_SIDE, _MATRIX_SIDE).to(dtype)
    best = float("inf")
    for _ in range(_MATRIX_RUNS):
        begin = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - begin)
    return 2 * _MATRIX_SIDE**3 / best


class Benchmark:
    """Ways to search, measured on the same networks and images in one process.

    Args:
        subject: Networks and images.
        batch_size: Images at once.
    """

    def __init__(self, subject: Subject, batch_size: int) -> None:
        self.subject = subject
        self.batch_size = batch_size
        self.peak = matrix_peak(torch.bfloat16)
        self.peak_fp32 = matrix_peak(torch.float32)
        self._reference: torch.Tensor | None = None

    def reference(self) -> Row:
        """Measure the plain batched search, whose scores the others are compared with."""
        return self.baseline("batched_fp32", len(self.subject.images))

    def baseline(self, mode: str, images: int) -> Row:
        """Measure a usual way to search.

        Args:
            mode: One of :data:`BASELINES`.
            images: Use the first so many images.
        """
        subject, memory = self.subject, _Memory()
        generator, features = as_usual(subject.generator), as_usual(subject.features)
        start, x = one_draw(subject.latent_size, 0), subject.images[:images]
        begin = time.perf_counter()
        if mode == "one_at_a_time":
            scores = one_at_a_time(generator, features, x, start, PAPER_STEPS, memory.look)
        else:
            scores = batched(
                generator, features, x, start, PAPER_STEPS, self.batch_size, memory.look
            )
        seconds = time.perf_counter() - begin
        if mode == "batched_fp32":
            self._reference = scores
        return self._row(mode, scores, seconds, 0.0, float(PAPER_STEPS), memory, False)

    def ours(self, mode: str) -> Row:
        """Measure one of our modes, after :meth:`reference`.

        Args:
            mode: Key of :data:`MODES`.
        """
        subject, memory = self.subject, _Memory()
        options = dict(MODES[mode])
        compiled = options.pop("compiled", False)
        settings = search_settings(options.pop("search"), **options)
        begin = time.perf_counter()
        search = LatentSearch(
            subject.generator,
            subject.features,
            subject.latent_size,
            settings,
            self.batch_size,
            compiled,
        )
        search.prepare(subject.images[: self.batch_size])
        setup = time.perf_counter() - begin
        begin = time.perf_counter()
        found = search(subject.images, progress=memory.look)
        seconds = time.perf_counter() - begin
        steps = found.steps.double().mean().item()
        only = settings.descend_on == "residual"
        return self._row(mode, found.score, seconds, setup, steps, memory, only)

    def flops(self, residual_only: bool = False) -> int:
        """Floating-point operations of one image's step, multiplications and additions.

        Args:
            residual_only: Whether f is left out.
        """
        subject = self.subject
        descend_on = "residual" if residual_only else "total"
        settings = search_settings("paper", descend_on=descend_on)
        search = LatentSearch(subject.generator, subject.features, subject.latent_size, settings)
        image = subject.images[:1]
        features, latent = search.descent.extract(image), torch.zeros(1, subject.latent_size)
        with FlopCounterMode(display=False) as counter:
            search.descent.loss_and_gradient(latent, image, features)
        return counter.get_total_flops()

    def _row(
        self,
        mode: str,
        scores: torch.Tensor,
        seconds: float,
        setup: float,
        steps: float,
        memory: _Memory,
        residual_only: bool,
    ) -> Row:
        assert self._reference is not None, "measure the reference first"
        count = len(scores)
        theirs, labels = self._reference[:count], self.subject.labels[:count]
        per_step = seconds / count / steps
        return Row(
            mode=mode,
            images=count,
            ms_per_image_step=1e3 * per_step,
            ms_per_image=1e3 * seconds / count,
            steps_per_image=steps,
            auroc=float(roc_auc_score(labels, scores)),
            spearman=float(spearmanr(scores, theirs).statistic),
            loss_ratio=float(scores.mean() / theirs.mean()),
            relative_difference=float(((scores - theirs).abs() / theirs).max()),
            peak_fraction=self.flops(residual_only) / per_step / self.peak,
            setup_seconds=setup,
            rss_mib=memory.largest / _MEBIBYTE,
        )
