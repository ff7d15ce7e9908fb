# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A model's search: prepared once for its weights, and shown where batches are shown."""

import io
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar, TQDMProgressBar
from rich.progress import Progress
from tqdm import tqdm

from anogan_plugin.latent_search import SearchProgress, SearchSettings
from anogan_plugin.models.anogan.torch_model import AnoGANModel
from anogan_plugin.models.components.progress import search_bar, search_progress

STEPS = [
    SearchProgress(images=3, done=0, spent=2, saved=0, planned=3000),
    SearchProgress(images=3, done=1, spent=600, saved=1400, planned=3000),
    SearchProgress(images=3, done=3, spent=1600, saved=1400, planned=3000),
]


class Terminal(io.StringIO):
    def __init__(self, real: bool = True) -> None:
        super().__init__()
        self._real = real

    def isatty(self) -> bool:
        return self._real


def open_bars() -> int:
    return len(list(getattr(tqdm, "_instances", [])))


def trainer_with(*callbacks: Any, **arguments: Any) -> Trainer:
    return Trainer(
        callbacks=list(callbacks),
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        **arguments,
    )


@pytest.fixture
def rich_trainer() -> Iterator[Trainer]:
    """A trainer whose rich bar is on, as it is while batches go by."""
    bar, module = RichProgressBar(), LightningModule()
    trainer = trainer_with(bar)
    bar.setup(trainer, module, "test")
    bar.on_test_start(trainer, module)
    yield trainer
    bar.teardown(trainer, module, "test")


def rows_of(trainer: Trainer) -> Progress:
    bar = trainer.progress_bar_callback
    assert isinstance(bar, RichProgressBar)
    assert bar.progress is not None
    return bar.progress


def test_a_bar_shows_steps_and_images_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    seconds = itertools.count(step=10.0)  # it is drawn no more than ten times a second
    monkeypatch.setattr("tqdm.std.time", lambda: next(seconds))
    show = search_bar()
    before = open_bars()
    for progress in STEPS[:2]:
        show(progress)
        assert open_bars() == before + 1
    shown = terminal.getvalue().split("\r")[-1]
    assert "latent search" in shown
    assert "2.00k/3.00k" in shown, "steps that need not be taken count as done"
    assert "1/3 images, 1,400 steps saved" in shown
    show(STEPS[2])
    assert open_bars() == before
    for progress in STEPS:  # the next batch has a bar again
        show(progress)
    assert open_bars() == before


def test_without_a_terminal_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Terminal(real=False)
    monkeypatch.setattr("sys.stderr", pipe)
    show, before = search_bar(), open_bars()
    for progress in STEPS:
        show(progress)
    assert pipe.getvalue() == ""
    assert open_bars() == before


def test_a_rich_bar_has_one_line_more_while_it_searches(rich_trainer: Trainer) -> None:
    rows = rows_of(rich_trainer)
    rows.add_task("Testing", total=9)
    show = search_progress(rich_trainer)
    assert show is not None
    assert len(rows.tasks) == 1, "no line before the first step"
    lines = []
    for progress in STEPS:
        show(progress)
        lines.append([(task.description, task.completed, task.total) for task in rows.tasks[1:]])
    assert lines == [
        [("latent search: 0/3 images", 2, 3000)],
        [("latent search: 1/3 images, 1,400 steps saved", 2000, 3000)],
        [],
    ]
    show(STEPS[0])
    assert len(rows.tasks) == 2, "the next batch has a line again"


def test_a_rich_bar_that_is_off_stays_off() -> None:
    bar = RichProgressBar()
    show = search_progress(trainer_with(bar))
    assert show is not None
    for progress in STEPS:
        show(progress)
    assert bar.progress is None


def test_a_trainer_without_bar_shows_nothing() -> None:
    assert search_progress(trainer_with(enable_progress_bar=False)) is None


def test_beside_a_tqdm_bar_it_is_one_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    show, before = search_progress(trainer_with(TQDMProgressBar())), open_bars()
    assert show is not None
    show(STEPS[0])
    assert open_bars() == before + 1
    show(STEPS[2])
    assert open_bars() == before


def test_a_search_of_a_model_ends_its_line(rich_trainer: Trainer) -> None:
    model, rows = tiny_model(), rows_of(rich_trainer)
    show, counts = search_progress(rich_trainer), []
    assert show is not None

    def showing(progress: SearchProgress) -> None:
        show(progress)
        counts.append(len(rows.tasks))

    model.score(torch.zeros(2, 1, 32, 32), showing)
    assert counts == [1, 1, 0]


def tiny_model() -> AnoGANModel:
    torch.manual_seed(0)
    return AnoGANModel(32, 1, 4, 2, "batch", SearchSettings(steps=3), "paper")


def train_one_step(model: AnoGANModel) -> None:
    optimiser = torch.optim.SGD(model.generator.parameters(), lr=0.1)
    model.generator(torch.randn(4, 4)).sum().backward()
    optimiser.step()


def load_others(model: AnoGANModel) -> None:
    torch.manual_seed(1)
    others = AnoGANModel(32, 1, 4, 2, "batch", SearchSettings(steps=3), "paper")
    model.load_state_dict(others.state_dict())


def see_other_images(model: AnoGANModel) -> None:
    """Move the running statistics of D's BatchNorm, and no weight."""
    with torch.no_grad():
        model.discriminator.train()(torch.rand(4, 1, 32, 32))


def test_a_search_is_prepared_once() -> None:
    model = tiny_model()
    first = model.latent_search()
    model.score(torch.rand(2, 1, 32, 32))
    model.eval().train()
    model(torch.rand(1, 3, 32, 32))
    with torch.no_grad():
        model.generator.eval()(torch.randn(2, 4))
    assert model.latent_search() is first


@pytest.mark.parametrize(
    "change",
    [train_one_step, load_others, see_other_images, AnoGANModel.double, AnoGANModel.bfloat16],
    ids=lambda change: change.__name__,
)
def test_and_again_when_a_weight_has_changed(change: Callable[[AnoGANModel], Any]) -> None:
    model, images = tiny_model(), torch.rand(2, 1, 32, 32)
    first = model.latent_search()
    change(model)
    second = model.latent_search()
    assert second is not first
    assert model.latent_search() is second
    fresh = tiny_model()
    fresh.load_state_dict(model.state_dict())
    found = second(images)
    torch.testing.assert_close(found.score, fresh.latent_search()(images).score)
