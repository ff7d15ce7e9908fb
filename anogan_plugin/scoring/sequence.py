# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images that come one after the other, as the sequence that a scorer reads."""

from collections import deque
from collections.abc import Iterable, Iterator

import torch

from anogan_plugin.latent_search import ImageSource


class Lookahead:
    """A sequence that knows of a number of images ahead of the one that was read last.

    Its length grows until the images come to their end. What is in a batch depends on the images
    alone, not on how fast they come, as asking for the length waits for them.

    Args:
        images: Any number of images.
        ahead: How many to hold at most.

    Example:
        >>> images = Lookahead(torch.zeros(5, 3, 1, 1), ahead=2)
        >>> len(images), images[0].shape, len(images)
        (2, torch.Size([3, 1, 1]), 3)
    """

    def __init__(self, images: Iterable[torch.Tensor], ahead: int) -> None:
        self._images = iter(images)
        self._ahead = ahead
        self._waiting: deque[torch.Tensor] = deque()
        self._read = 0

    def __len__(self) -> int:
        while len(self._waiting) < self._ahead:
            image = next(self._images, None)
            if image is None:
                break
            self._waiting.append(image)
        return self._read + len(self._waiting)

    def __getitem__(self, index: int) -> torch.Tensor:
        if index != self._read or index >= len(self):
            msg = f"images are read in order, each once: expected {self._read}, got {index}"
            raise IndexError(msg)
        self._read += 1
        return self._waiting.popleft()


def batches(images: ImageSource, size: int) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Stack images of one shape.

    Args:
        images: In a sequence that may grow while it is read.
        size: Most images in a batch.

    Yields:
        Positions of B images, and the images ``(B, 3, H, W)``.
    """
    first = 0
    while first < (known := len(images)):
        until = min(first + size, known)
        of_shape: dict[torch.Size, dict[int, torch.Tensor]] = {}
        for position in range(first, until):
            image = images[position]
            of_shape.setdefault(image.shape, {})[position] = image
        for alike in of_shape.values():
            yield list(alike), torch.stack(list(alike.values()))
        first = until
