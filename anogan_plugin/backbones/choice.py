# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Which pretrained network anomalib's models can have here: their usual one, or the offline one."""

import logging
from typing import Any

from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from timm.models import get_pretrained_cfg_value

logger = logging.getLogger(__name__)

HUB_BACKBONE = "wide_resnet50_2"
OFFLINE_BACKBONE = "efficientnet_lite0_offline"

ARGUMENTS: dict[str, dict[str, dict[str, Any]]] = {
    HUB_BACKBONE: {
        "Padim": {"layers": ["layer1", "layer2", "layer3"], "n_features": 550},
        "Patchcore": {"layers": ["layer2", "layer3"]},
        "Stfpm": {"layers": ["layer1", "layer2", "layer3"]},
    },
    OFFLINE_BACKBONE: {
        "Padim": {"layers": ["blocks.1", "blocks.2", "blocks.4"], "n_features": 100},
        "Patchcore": {"layers": ["blocks.2", "blocks.4"]},
        "Stfpm": {"layers": ["blocks.1", "blocks.2", "blocks.4"]},
    },
}
"""For each network and each model: what the model's constructor needs besides its name.

The layers have strides of 4, 8 and 16, or 8 and 16, in both networks.
"""

_WEIGHTS = "model.safetensors"
_SECONDS_TO_ANSWER = 5.0


def best_backbone(model: str) -> dict[str, Any]:
    """Return the arguments for anomalib's models with the best network whose weights can be had.

    That is the wide ResNet-50 of the papers if its weights are in the cache of the Hugging Face
    hub or can be downloaded, which they are then (276 MB), or else the EfficientNet-Lite0 that
    comes with ``anogan_plugin[backbones]``. A hub that does not answer within 5 seconds is not
    waited for. ``HF_HUB_OFFLINE=1`` keeps it from being asked. What was chosen is logged, as a
    warning with its reason if it is not the papers' network.

    Args:
        model: ``"Padim"``, ``"Patchcore"`` or ``"Stfpm"``.

    Returns:
        ``backbone``, ``layers`` and, for Padim, ``n_features``.

    Raises:
        ValueError: If the model is another.

    Example:
        >>> best_backbone("Fastflow")
        Traceback (most recent call last):
        ValueError: model must be one of Padim, Patchcore, Stfpm, got 'Fastflow'
    """
    if model not in ARGUMENTS[HUB_BACKBONE]:
        msg = f"model must be one of {', '.join(ARGUMENTS[HUB_BACKBONE])}, got {model!r}"
        raise ValueError(msg)
    try:
        fetch_weights(HUB_BACKBONE)
    except Exception as error:  # whatever keeps the weights away, the other network is the remedy
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        logger.warning(
            "%s with %s: the weights of %s are neither cached nor to be had from the hub (%s)",
            *(model, OFFLINE_BACKBONE, HUB_BACKBONE, reason),
        )
        backbone = OFFLINE_BACKBONE
    else:
        logger.info("%s with %s, whose weights are in the cache", model, HUB_BACKBONE)
        backbone = HUB_BACKBONE
    return {"backbone": backbone, **ARGUMENTS[backbone][model]}


def fetch_weights(backbone: str) -> str:
    """Have the weights of a network of timm's in the cache of the hub.

    Args:
        backbone: Name of the network.

    Returns:
        Path of the file.

    Raises:
        Exception: Of whatever kind huggingface_hub has for what went wrong.
    """
    repository: Any = get_pretrained_cfg_value(backbone, "hf_hub_id")
    cached = try_to_load_from_cache(repository, _WEIGHTS)
    if isinstance(cached, str):
        return cached
    # hf_hub_download would try for most of a minute to reach a hub that is not there.
    get_hf_file_metadata(hf_hub_url(repository, _WEIGHTS), timeout=_SECONDS_TO_ANSWER)
    return hf_hub_download(repository, _WEIGHTS)
