# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From what is in an image file to what a scorer takes, in a bounded amount of memory."""

import contextlib
import threading
from collections.abc import Iterator

import torch

from anogan_plugin.data.image_io import decode_whole_pixels, pixel_count, to_unit_range
from anogan_plugin.scoring.scorer import Scorer


class Decoder:
    """Decodes images; threads do it at the same time as long as there is room.

    Args:
        most_pixels: Largest height times width of an image, and of all that are being decoded
            together: a pixel takes some 20 bytes meanwhile.
    """

    def __init__(self, most_pixels: int) -> None:
        self._most_pixels = most_pixels
        self._free = most_pixels
        self._turn = threading.Lock()
        self._change = threading.Condition()

    def decode(self, encoded: bytes, name: str, scorer: Scorer) -> torch.Tensor:
        """Decode an image and prepare it.

        Args:
            encoded: What is in its file.
            name: The file, for messages.
            scorer: Who will score it.

        Returns:
            What the scorer's ``prepare`` returned.

        Raises:
            ValueError: If the image is unreadable, truncated or too large.
        """
        with self._room(min(pixel_count(encoded), self._most_pixels)):
            pixels = decode_whole_pixels(encoded, name, self._most_pixels)
            return scorer.prepare(to_unit_range(pixels))

    @contextlib.contextmanager
    def _room(self, pixels: int) -> Iterator[None]:
        # One waits at a time, the others for their turn: small images don't starve a large one.
        with self._turn, self._change:
            self._change.wait_for(lambda: pixels <= self._free)
            self._free -= pixels
        try:
            yield
        finally:
            with self._change:
                self._free += pixels
                self._change.notify()
