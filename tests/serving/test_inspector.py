# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which threads score, and with how many threads of torch."""

import threading
from collections.abc import Iterator

import numpy as np
import torch

from anogan_plugin.latent_search import ImageSource
from anogan_plugin.scoring.scorer import Scored
from anogan_plugin.serving.inspector import Inspector
from tests.archive.small import grey
from tests.serving.client import TIMEOUT, Brightness


class _Watched(Brightness):
    """Notes who scores and who decodes."""

    def __init__(self) -> None:
        super().__init__()
        self.scoring: list[tuple[str, int]] = []
        self.decoding: list[int] = []

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        if threading.current_thread() is not threading.main_thread():
            self.decoding.append(torch.get_num_threads())
        return super().prepare(image)

    def stream(self, images: ImageSource) -> Iterator[Scored]:
        self.scoring.append((threading.current_thread().name, torch.get_num_threads()))
        yield from super().stream(images)


def test_scoring_has_all_threads_and_decoding_one_each() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    scorer = _Watched()
    try:
        for _ in range(2):  # the second begins after threads of the first have set theirs
            inspector = Inspector(scorer, 10_000)
            inspector.score(inspector.decode(grey(51)).result(TIMEOUT)).result(TIMEOUT)
            inspector.close()
    finally:
        torch.set_num_threads(before)
    assert scorer.scoring == [("scoring", 3)] * 4  # in each one image before anybody comes
    assert scorer.decoding == [1, 1]
