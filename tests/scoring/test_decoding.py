# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images that are decoded at the same time, and the memory that takes."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from anogan_plugin.data.image_io import encode_png, to_unit_range
from anogan_plugin.scoring.decoding import Decoder

TIMEOUT = 60


class _Slow:
    """Notes how many pixels are held at a time; lets go of them when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.entered = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.held = self.most = 0

    def prepare(self, image: np.ndarray) -> np.ndarray:
        with self.lock:
            self.held += image[0].size
            self.most = max(self.most, self.held)
        self.entered.release()
        assert self.go.wait(TIMEOUT)
        with self.lock:
            self.held -= image[0].size
        return image


def test_no_more_pixels_are_decoded_together_than_one_image_may_have() -> None:
    scorer: Any = _Slow()
    decoder = Decoder(most_pixels=100)
    images = [encode_png(np.zeros((side, side), np.uint8)) for side in (7, 7, 10, 7, 7, 1)]
    with ThreadPoolExecutor(len(images)) as pool:
        found = [pool.submit(decoder.decode, image, "x", scorer) for image in images]
        for _ in range(2):
            assert scorer.entered.acquire(timeout=TIMEOUT)
        assert not scorer.entered.acquire(timeout=0.2)
        scorer.go.set()
        sides = [len(each.result(TIMEOUT)[0]) for each in found]
    assert sides == [7, 7, 10, 7, 7, 1]
    assert scorer.most <= 100


def test_an_image_that_cant_be_decoded_leaves_its_room() -> None:
    scorer: Any = _Slow()
    scorer.go.set()
    decoder = Decoder(most_pixels=100)
    whole = encode_png(np.zeros((10, 10), np.uint8))
    for broken in (whole[:-20], b"", encode_png(np.zeros((11, 10), np.uint8))):
        with pytest.raises(ValueError, match=r"x (cannot be read|is not a)"):
            decoder.decode(broken, "x", scorer)
    assert decoder.decode(whole, "x", scorer).shape == (3, 10, 10)


@pytest.mark.parametrize("shape", [(500, 500), (500, 500, 3)])
def test_scaling_takes_no_copy_beside_the_result(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 51, np.uint8)
    tracemalloc.start()
    try:
        unit = to_unit_range(pixels)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert unit.flags.c_contiguous
    assert most < 1.1 * unit.nbytes
