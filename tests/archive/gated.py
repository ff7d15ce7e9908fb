# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A model that stands still at white images until the test lets it go on, or dies of them."""

import os
import signal
from pathlib import Path

import torch
from anomalib.data import InferenceBatch

from tests.comparison.broken import BrokenModel


class GatedModel(BrokenModel):
    """Scores brightness. A white image is scored once the gate is open.

    Args:
        go: Pipe of :func:`tests.comparison.gates.make_gate`; empty to be killed instead.
    """

    def __init__(self, go: str) -> None:
        super().__init__(go=go)
        brightness = self.model

        def forward(images: torch.Tensor) -> InferenceBatch:
            if images.amin((1, 2, 3)).max() == 1:
                if not go:
                    os.kill(os.getpid(), signal.SIGKILL)
                Path(f"{go}.started").write_text(f"{os.getpid()}\n")
                Path(go).read_text()
            return type(brightness).forward(brightness, images)

        brightness.forward = forward
