# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A search on disk: interrupted, killed, resumed, mixed up with another, and on a full disk."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from anogan_plugin.latent_search import LatentSearch, SearchProgress, SearchSettings, saved
from tests.latent_search.small import (
    LATENT,
    STOPPING,
    assert_alike,
    assert_same,
    mixed_images,
    no_warning_of_a_search,
    random_images,
    small_features,
    small_generator,
    small_search,
)

MARKS = (4, 11, 12)
ROOT = Path(__file__).parents[2]
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows either ends a process at once


class InterruptAfter:
    """Press Ctrl-C once so many steps have been taken."""

    def __init__(self, spent: int) -> None:
        self.at = spent
        self.seen: list[SearchProgress] = []

    def __call__(self, progress: SearchProgress) -> None:
        self.seen.append(progress)
        if progress.spent >= self.at:
            raise KeyboardInterrupt


def interrupt(search: LatentSearch, path: Path, spent: int = 1, **arguments: Any) -> SearchProgress:
    interrupted = InterruptAfter(spent)
    with pytest.raises(KeyboardInterrupt):
        search(mixed_images(7), progress=interrupted, save_to=path, **arguments)
    return interrupted.seen[-1]


@pytest.mark.parametrize("settings", [{"steps": 12}, STOPPING], ids=["paper", "stopping"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_an_interrupted_search_goes_on(
    settings: dict[str, Any], share: float, tmp_path: Path
) -> None:
    images, path = mixed_images(7), tmp_path / "new" / "folder" / "search.pt"
    undisturbed: list[SearchProgress] = []
    search = small_search(3, **settings)
    expected = search(images, marks=MARKS, progress=undisturbed.append)

    until = int(share * undisturbed[-1].spent)
    last = interrupt(small_search(3, **settings), path, until, marks=MARKS)
    assert last in undisturbed
    rest: list[SearchProgress] = []
    resumed = small_search(3, **settings)
    found = resumed(images, marks=MARKS, progress=rest.append, save_to=path)
    assert_same(found, expected)
    assert rest == undisturbed[undisturbed.index(last) :], "no step is taken twice"


def test_again_and_again_and_with_another_batch(tmp_path: Path) -> None:
    path, images = tmp_path / "search.pt", mixed_images(7)
    expected = small_search(7, **STOPPING)(images)
    for spent, batch_size in ((20, 3), (60, 2), (61, 5), (100, 1)):
        interrupt(small_search(batch_size, **STOPPING), path, spent)
    assert_alike(small_search(4, **STOPPING)(images, save_to=path), expected)


def test_after_every_step_of_a_loss_that_goes_up_and_down(tmp_path: Path) -> None:
    path, images = tmp_path / "search.pt", mixed_images(7)
    restless = {**STOPPING, "steps": 20, "learning_rate": 3.0, "stop_tolerance": 0.001}
    expected = small_search(7, **restless)(images, marks=MARKS)
    assert len(set(expected.steps.tolist())) > 1
    for spent in range(1, int(expected.steps.sum()), 7):
        with contextlib.suppress(KeyboardInterrupt):
            small_search(7, **restless)(
                images, marks=MARKS, progress=InterruptAfter(spent), save_to=path
            )
    assert_same(small_search(7, **restless)(images, marks=MARKS, save_to=path), expected)


def test_given_starts_are_gone_on_from(tmp_path: Path) -> None:
    path, images, start = tmp_path / "search.pt", mixed_images(7), torch.randn(7, LATENT)
    expected = small_search(2, steps=5)(images, start=start)
    interrupt(small_search(2, steps=5), path, 18, start=start)
    assert_same(small_search(2, steps=5)(images, start=start, save_to=path), expected)


def test_a_stream_that_is_let_go_of_is_saved(tmp_path: Path) -> None:
    path, images = tmp_path / "search.pt", mixed_images(7)
    for _ in small_search(3, steps=6).stream(images, save_to=path):
        break
    rest: list[SearchProgress] = []
    found = small_search(3, steps=6)(images, save_to=path, progress=rest.append)
    assert rest[0].spent == 3 * 6
    assert_same(found, small_search(3, steps=6)(images))


KILLED = """
import os, sys
from pathlib import Path
import torch
from anogan_plugin.latent_search import saved
from tests.latent_search.small import STOPPING, mixed_images, small_search

def kill(progress):
    if progress.spent >= 70:
        os.kill(os.getpid(), int(sys.argv[2]))

saved._SECONDS = 0
torch.set_num_threads(int(sys.argv[3]))
small_search(3, **STOPPING)(mixed_images(7), progress=kill, save_to=Path(sys.argv[1]))
"""


def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "search.pt"
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(path),
        str(int(KILL)),
        str(torch.get_num_threads()),
    ]
    killed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert killed.returncode in (-KILL, KILL), killed.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["search.pt"]
    rest: list[SearchProgress] = []
    found = small_search(3, **STOPPING)(mixed_images(7), progress=rest.append, save_to=path)
    assert 70 < rest[0].spent <= 75
    assert rest[0].done > 0
    assert_same(found, small_search(3, **STOPPING)(mixed_images(7)))


def test_it_is_written_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, written = tmp_path / "search.pt", []
    images = random_images(2)
    small_search(steps=3)(images, save_to=path, progress=lambda _: written.append(path.exists()))
    assert written == [False] * 3, "not within the first minute"
    assert path.exists()
    path.unlink()
    monkeypatch.setattr(saved, "_SECONDS", 0)
    small_search(steps=3)(images, save_to=path, progress=lambda _: written.append(path.exists()))
    assert written[3:] == [True] * 3


def test_a_finished_search_takes_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, images = tmp_path / "search.pt", mixed_images(7)
    expected = small_search(3, **STOPPING)(images, marks=MARKS, save_to=path)
    again = small_search(3, **STOPPING)
    monkeypatch.delattr(type(again.descent), "loss_and_gradient")  # a step would be an error
    assert_same(again(images, marks=MARKS, save_to=path), expected)


def other_weight(network: nn.Sequential) -> nn.Sequential:
    with torch.no_grad():
        weight = next(network.parameters())
        weight.flatten()[-1] += 0.001
    return network


SETTINGS = SearchSettings(steps=4)
START = torch.zeros(4, LATENT)


def first(
    path: Path,
    generator: nn.Module | None = None,
    features: nn.Module | None = None,
    settings: SearchSettings = SETTINGS,
    images: torch.Tensor | None = None,
    **arguments: Any,
) -> Callable[[], object]:
    """The search of the next test, or another one where an argument says so."""
    search = LatentSearch(
        generator or small_generator(), features or small_features(), LATENT, settings
    )
    images = random_images(4) if images is None else images
    given = {"marks": (2,), "start": START, "save_to": path, **arguments}
    return lambda: search(images, **given)


@pytest.mark.parametrize(
    "other",
    [
        {"settings": SearchSettings(steps=5)},
        {"settings": SearchSettings(steps=4, discrimination_weight=0.2)},
        {"settings": SearchSettings(steps=4, schedule="cosine")},
        {"settings": SearchSettings(steps=4, seed=1)},
        {"images": random_images(5), "start": torch.zeros(5, LATENT)},
        {"images": random_images(4, seed=9)},
        {"images": random_images(4).flip(0)},
        {"generator": other_weight(small_generator())},
        {"features": other_weight(small_features())},
        {"marks": ()},
        {"marks": (2, 3)},
        {"start": None},
        {"start": START + 0.1},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_search_is_refused(other: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "search.pt"
    first(path)()
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} is of another search"):
        first(path, **other)()
    assert path.read_bytes() == kept
    first(path)()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_cut_off_is_named(share: float, tmp_path: Path) -> None:
    path = tmp_path / "search.pt"
    first(path)()
    whole = path.read_bytes()
    cut = whole[: int(share * len(whole))]
    path.write_bytes(cut)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} can't be read.*delete it"):
        first(path)()
    assert path.read_bytes() == cut, "what it can't read it leaves alone"


@pytest.mark.parametrize("content", ["text", "other tensors", "picture"])
def test_a_file_of_something_else_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "search.pt"
    if content == "other tensors":
        torch.save({"weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(b"my notes\n" if content == "text" else b"\x89PNG\r\n\x1a\n" + bytes(99))
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} can't be read"):
        first(path)()
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:664] PytorchStreamWriter failed"),
    ],
    ids=["Python's", "torch's"],
)
def test_a_full_disk_costs_a_warning_only(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, images = tmp_path / "search.pt", mixed_images(7)
    search = small_search(3, steps=6)
    expected = search(images)
    last = interrupt(search, path, 10)
    kept = path.read_bytes()

    def full(_: object, file: Path) -> None:
        file.write_bytes(b"as much as there was room for")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        patch.setattr(saved, "_SECONDS", 0)
        with pytest.warns(UserWarning, match=f"can't be saved to {re.escape(str(path))}: .*free"):
            found = search(images, save_to=path)
    assert_same(found, expected)
    assert [file.name for file in tmp_path.iterdir()] == ["search.pt"]
    assert path.read_bytes() == kept

    rest: list[SearchProgress] = []
    with no_warning_of_a_search():
        assert_same(search(images, progress=rest.append, save_to=path), expected)
    assert rest[0].spent == last.spent
