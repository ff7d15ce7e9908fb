# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A checkpoint that all these tests share."""

from pathlib import Path

import pytest

from tests.archive.small import save_checkpoint
from tests.comparison.broken import BrokenModel


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the model that scores brightness."""
    return save_checkpoint(BrokenModel(), tmp_path_factory.mktemp("checkpoint") / "model.ckpt")
