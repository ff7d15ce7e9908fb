# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Progress of a latent search inside the trainer's own progress bar."""

from collections.abc import Iterable, Iterator

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import RichProgressBar
from tqdm.auto import tqdm

from anogan_plugin.latent_search import Progress

_DESCRIPTION = "latent search"


def search_progress(trainer: Trainer) -> Progress:
    """Show the steps of a search where the trainer shows its batches.

    Args:
        trainer: A trainer with anomalib's rich bar, a tqdm bar, or none.

    Returns:
        Function that passes the steps on and shows how many have been taken.
    """
    bar = trainer.progress_bar_callback
    if bar is None:
        return iter
    if isinstance(bar, RichProgressBar):
        # A second bar would tear rich's live display apart: the steps become a line of it.
        return lambda steps: _as_line_of(bar, steps)
    return lambda steps: tqdm(steps, desc=_DESCRIPTION, unit="step", leave=False, disable=None)


def _as_line_of(bar: RichProgressBar, steps: Iterable[int]) -> Iterator[int]:
    if bar.progress is None:
        yield from steps
        return
    steps = list(steps)
    task = bar.progress.add_task(_DESCRIPTION, total=len(steps))
    try:
        for step in steps:
            yield step
            bar.progress.advance(task)
            bar.refresh()
    finally:
        bar.progress.remove_task(task)
