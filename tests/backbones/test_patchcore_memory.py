# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The plan against what PatchCore really stores, picks and takes."""

import platform
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from anomalib.models.components import KCenterGreedy
from anomalib.models.image.patchcore.torch_model import PatchcoreModel

from anogan_plugin.backbones.patchcore_memory import plan_coreset
from tests.processes import run_python

NETWORK, LAYERS = "efficientnet_lite0_offline", ["blocks.2", "blocks.4"]
PLENTY = 10**15

FIT = """
import resource, sys
import psutil, torch
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from anogan_plugin.backbones.patchcore_memory import limit_malloc_growth

images, patches, channels, picks = map(int, sys.argv[1:])
limit_malloc_growth()
model = PatchcoreModel(["layer1"], "resnet18", pre_trained=False)
model.embedding_store = [torch.rand(1000, channels)]
model.subsample_embedding(0.01)  # what is imported and set up only once does not count
before = psutil.Process().memory_info().rss
model.embedding_store = [torch.rand(patches, channels) for _ in range(images)]
model.subsample_embedding((picks + 0.5) / (images * patches))
assert len(model.memory_bank) == picks
print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""

MALLOC = """
import psutil, torch
from anogan_plugin.backbones.patchcore_memory import limit_malloc_growth

if {limit}:
    assert limit_malloc_growth()
torch.ones(20, 2**18)  # freed at once: from now on glibc may take smaller blocks from its heap
pairs = [(torch.ones(2, 2**18), torch.ones(1000)) for _ in range(100)]
full = psutil.Process().memory_info().rss
pairs = [small for _, small in pairs]
print((full - psutil.Process().memory_info().rss) / (100 * 2 * 2**20))
"""

on_linux = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="measured with glibc")


@pytest.mark.parametrize(("network", "layers"), [(NETWORK, LAYERS), ("resnet18", ["layer1"])])
@pytest.mark.parametrize("image_size", [64, 50, 33])
def test_size_of_the_embedding(network: str, layers: list[str], image_size: int) -> None:
    model = PatchcoreModel(layers, network, pre_trained=False).train()
    embedding = model(torch.rand(2, 3, image_size, image_size))
    plan = plan_coreset(2, image_size, network, layers)
    assert (plan.patches, plan.channels) == embedding.shape


@pytest.mark.parametrize("images", [1, 50, 3277])
@pytest.mark.parametrize("max_picks", [1, 113, 10_000])  # 113 of 3,200: p / N · N is below p
def test_number_of_picks(images: int, max_picks: int) -> None:
    plan = plan_coreset(images, 64, NETWORK, LAYERS, max_picks=max_picks, available=PLENTY)
    assert plan.picks == min(max_picks, plan.patches // 10)
    embedding = torch.empty(plan.patches, 1)
    assert KCenterGreedy(embedding, plan.coreset_sampling_ratio).coreset_size == plan.picks


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize(
    ("image_size", "network", "layers"),
    [(256, NETWORK, LAYERS), (128, "wide_resnet50_2", ["layer2", "layer3"])],
    ids=["picking takes most", "stacking takes most"],
)
def test_peak_memory(image_size: int, network: str, layers: list[str], tmp_path: Path) -> None:
    plan = plan_coreset(100, image_size, network, layers, max_picks=20, available=PLENTY)
    sizes = [100, plan.patches // 100, plan.channels, plan.picks]
    taken = float(run_python("-c", FIT, *map(str, sizes), cwd=tmp_path).stdout)
    assert plan.fit_bytes > 200e6
    # A busy system takes pages of the program away, and they come back while this measures.
    assert 0.75 * plan.fit_bytes < taken < 1.3 * plan.fit_bytes + 200e6


@pytest.mark.slow
@on_linux
def test_freed_blocks_go_back_to_the_system(tmp_path: Path) -> None:
    returned = [
        float(run_python("-c", MALLOC.format(limit=limit), cwd=tmp_path).stdout)
        for limit in (False, True)
    ]
    assert returned[0] < 0.5
    assert returned[1] > 0.9


def test_what_fits_is_said_and_fits() -> None:
    available = 4_000_000_000
    with pytest.raises(MemoryError) as caught:
        plan_coreset(3277, 256, NETWORK, LAYERS, available=available)
    found = re.search(r"at most ([\d,]+) images, or make them at most (\d+) x", str(caught.value))
    assert found
    images, image_size = int(found[1].replace(",", "")), int(found[2])

    plan_coreset(images, 256, NETWORK, LAYERS, available=available)
    plan_coreset(3277, image_size, NETWORK, LAYERS, available=available)
    for more in ((images + 1, 256), (3277, image_size + 1)):
        with pytest.raises(MemoryError):
            plan_coreset(*more, NETWORK, LAYERS, available=available)


@pytest.mark.parametrize(
    ("name", "value"), [("images", 0), ("image_size", 0), ("max_picks", 0), ("ratio", 0.0)]
)
def test_bad_arguments_are_named(name: str, value: float) -> None:
    name = "coreset_sampling_ratio" if name == "ratio" else name
    arguments: dict[str, Any] = {"images": 9, "image_size": 64, "backbone": NETWORK}
    with pytest.raises(ValueError, match=f"{name} must be .*, got {value}"):
        plan_coreset(**{**arguments, "layers": LAYERS, name: value})
