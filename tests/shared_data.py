# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Data that a developer may have beside the repository, and that nothing in it may need."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """Return a path below the shared data; skip the calling test if it does not exist."""
    path = Path(os.environ.get("ANOGAN_SHARED_DATA", _BESIDE)).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} does not exist (ANOGAN_SHARED_DATA names the folder of such data)")
    return path
