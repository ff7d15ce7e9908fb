# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Exponential moving average of a network's weights."""

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, updates: int) -> None:
    """Move ``average`` towards ``network`` by one step, in place.

    average ← d·average + (1 − d)·network with d = min(decay, (1 + t) / (10 + t)), so that the first
    epochs do not carry the random initial weights along. BatchNorm's running statistics are
    averaged like the weights.

    Args:
        average: Network of the same architecture.
        network: The network in training.
        decay: Decay in [0, 1); 0 copies.
        updates: Number t of updates made before this one.
    """
    current = min(decay, (1 + updates) / (10 + updates))
    source = network.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(source[name], 1 - current)
        else:
            value.copy_(source[name])
