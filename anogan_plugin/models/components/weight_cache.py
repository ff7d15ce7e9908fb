# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Keeps what is made from networks, such as frozen copies, until one of their weights changes."""

from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import nn

_Made = TypeVar("_Made")


class WeightCache(Generic[_Made]):
    """One thing that is made from networks, made again only when they are no longer the same.

    Example:
        >>> cache, network = WeightCache(), nn.Linear(2, 2)
        >>> first = cache.get(lambda: [network.weight.clone()], network)
        >>> cache.get(lambda: [network.weight.clone()], network) is first
        True
    """

    def __init__(self) -> None:
        self._made: _Made | None = None
        self._state: object = None

    def get(
        self, make: Callable[[], _Made], *networks: nn.Module, settings: object = None
    ) -> _Made:
        """What was made last time, if that is still right.

        Args:
            make: Makes it.
            networks: What it is made from: weights and running statistics count.
            settings: What else it depends on, compared by value.

        Returns:
            The same object until a weight or the settings change.

        Raises:
            RuntimeError: If a model is exported before anything was made from its weights.
        """
        if torch.compiler.is_exporting():  # a graph has no weights to look at, nor do they change
            if self._made is None:
                msg = (
                    "expected the model to have scored an image before it is exported, which "
                    "freezes its networks; call it once in eval mode"
                )
                raise RuntimeError(msg)
            return self._made
        tensors = [t for network in networks for t in network.state_dict().values()]
        # Sums, not versions or addresses: weights can be changed through .data and in inference
        # mode as well, where torch counts no versions.
        state = (settings, _sums(tensors), [(t.dtype, t.device) for t in tensors])
        if self._made is None or self._state != state:
            self._made, self._state = make(), state
        return self._made


def _sums(tensors: list[torch.Tensor]) -> list[float]:
    if not tensors:
        return []
    # One transfer from a GPU, not one for each tensor.
    sums = [total.double() for t in tensors for total in (t.sum(), t.abs().sum())]
    return torch.stack(sums).tolist()
