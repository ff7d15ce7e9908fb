# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
from skimage import io as skimage_io

from anogan_plugin.data.image_set import Manifest
from anogan_plugin.data.image_set.rendered import RenderPlan, render_set
from anogan_plugin.rendering import RENDERER_VERSION

SAMPLE = Path(__file__).parents[2] / "datasets" / "icmold_sample"


def test_sample_is_whole_and_what_the_renderer_makes(tmp_path: Path) -> None:
    manifest = Manifest.read(SAMPLE)
    manifest.verify(SAMPLE)
    assert manifest.generator_version == RENDERER_VERSION, "render the sample anew"
    plan = manifest.parameters["plan"]
    few = RenderPlan(2, 2, 4, tuple(plan["defects"]), plan["seed"], plan["image_size"])
    render_set(tmp_path / "few", few, workers=1)
    for name in Manifest.read(tmp_path / "few").files:
        kept, made = (skimage_io.imread(root / name) for root in (SAMPLE, tmp_path / "few"))
        # Another processor may round a grey level the other way.
        assert np.abs(kept.astype(int) - made.astype(int)).max() <= (0 if "truth" in name else 1)
