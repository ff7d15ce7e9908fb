# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images that tests of several models share."""

from pathlib import Path

import numpy as np
import pytest
from skimage import io as skimage_io


@pytest.fixture(scope="module")
def plain_defects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise that is good, and noise with a bright or a dark square somewhere."""
    root, draws = tmp_path_factory.mktemp("plain"), np.random.default_rng(0)
    sizes = {"train/good": 64, "test/good": 20, "test/bright": 12, "test/dark": 12}
    for folder, count in sizes.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            pixels = draws.integers(100, 140, (32, 32))
            if not folder.endswith("good"):
                x, y = draws.integers(2, 22, 2)
                pixels[y : y + 8, x : x + 8] += 100 if folder.endswith("bright") else -90
            file = root / folder / f"{folder.replace('/', '_')}_{number}.png"
            skimage_io.imsave(file, pixels.astype(np.uint8), check_contrast=False)
    return root
