# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Small sets of images that many tests share."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from anogan_plugin.data.image_set.rendered import RenderPlan, render_set


@pytest.fixture(scope="session")
def rendered_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 good images to train on, 6 good and 6 short-filled ones to test on, 32x32."""
    root = tmp_path_factory.mktemp("rendered") / "icmold"
    render_set(root, RenderPlan(24, 6, 6, image_size=32), workers=1)
    return root


@pytest.fixture(scope="session")
def tiny_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `.npz` laid out as MNIST's: 400 digits to train on and 100 to test on, 8x8."""
    digits = load_digits()
    images, labels = (digits.images * 15).astype(np.uint8), digits.target
    path = tmp_path_factory.mktemp("digits") / "tiny.npz"
    np.savez(
        path,
        x_train=images[:400],
        y_train=labels[:400],
        x_test=images[400:500],
        y_test=labels[400:500],
    )
    return path


@pytest.fixture(scope="session")
def dataset_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of data sets that is not the user's own."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        yield cache
