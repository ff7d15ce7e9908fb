# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The mode that networks are scored in, whatever mode they are in."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def eval_mode(network: nn.Module) -> Iterator[None]:
    """Run a network with its running statistics, without dropout and without gradients.

    Args:
        network: Any network; afterwards its modules are in the modes they were in.

    Yields:
        Nothing.
    """
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
