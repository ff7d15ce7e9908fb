# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Progress of a latent search inside the trainer's own progress bar."""

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import RichProgressBar
from rich.progress import TaskID
from tqdm.auto import tqdm

from anogan_plugin.latent_search import Progress, SearchProgress

_DESCRIPTION = "latent search"


def search_progress(trainer: Trainer) -> Progress | None:
    """Show a search where the trainer shows its batches.

    Args:
        trainer: A trainer with anomalib's rich bar, a tqdm bar, or none.

    Returns:
        What to call with the search's progress, or None where the trainer shows nothing.
    """
    bar = trainer.progress_bar_callback
    if bar is None:
        return None
    # A second bar would tear rich's live display apart: the search becomes a line of it.
    return _LineOfRich(bar) if isinstance(bar, RichProgressBar) else search_bar()


def search_bar() -> Progress:
    """A bar of its own for one search: steps taken and saved, images done, time left.

    Returns:
        What to call with the search's progress.
    """
    return _Bar()


class _Bar:
    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, progress: SearchProgress) -> None:
        if self._bar is None:
            self._bar = tqdm(
                total=progress.planned,
                initial=progress.spent + progress.saved,  # of an earlier run: its time is not ours
                desc=_DESCRIPTION,
                unit="step",
                unit_scale=True,
                leave=False,
                disable=None,
            )
        self._bar.set_postfix_str(_images(progress), refresh=False)
        self._bar.update(progress.spent + progress.saved - self._bar.n)
        if progress.done == progress.images:
            self._bar.close()
            self._bar = None


class _LineOfRich:
    def __init__(self, bar: RichProgressBar) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def __call__(self, progress: SearchProgress) -> None:
        rows = self._bar.progress
        if rows is None:
            return
        if self._task is None:
            self._task = rows.add_task(_DESCRIPTION, total=progress.planned)
        text = f"{_DESCRIPTION}: {_images(progress)}"
        rows.update(self._task, completed=progress.spent + progress.saved, description=text)
        self._bar.refresh()
        if progress.done == progress.images:
            rows.remove_task(self._task)
            self._task = None


def _images(progress: SearchProgress) -> str:
    saved = f", {progress.saved:,} steps saved" if progress.saved else ""
    return f"{progress.done}/{progress.images} images{saved}"
