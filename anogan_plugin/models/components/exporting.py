# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Models in files that run without this package: ONNX and OpenVINO."""

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from anogan_plugin.latent_search.graph import check_graph
from anogan_plugin.models.components.post_processing import HeldOutGoodPostProcessor
from anogan_plugin.models.components.searched_gan import SearchedGan

_OPSET = 18  # anomalib's 14 would have the loop of the search converted down, which fails


class ScoringExport:
    """Writes a model that scores images, with all that happens between image and score.

    To stand before :class:`~anomalib.models.components.AnomalibModule` among a model's bases. The
    file takes images ``(N, 3, H, W)`` in [0, 1], of any number and, without an ``input_size``, any
    size, and gives ``pred_score`` ``(N,)``, ``anomaly_map`` ``(N, S, S)`` at the model's size S
    and, where the model has thresholds, ``pred_label`` ``(N,)`` and ``pred_mask`` ``(N, S, S)``.
    """

    model: Any
    post_processor: Any

    def to_onnx(self, *args: Any, **kwargs: Any) -> Path:
        """Write an ONNX file, its weights inside.

        Args:
            args: Those of anomalib's ``to_onnx``.
            kwargs: Those of anomalib's ``to_onnx``.

        Returns:
            The file.

        Raises:
            ModuleNotFoundError: If a package of the extra ``export`` is missing.
            ValueError: If the latent search stops early, which a graph for a batch does not.
        """
        _require("onnx", "onnxscript")
        if isinstance(self.model, SearchedGan):
            check_graph(self.model.latent_search())
        kwargs = {"opset_version": _OPSET, "external_data": False, **kwargs}
        with torch.no_grad(), _as_far_as_calibrated(self.post_processor):
            return super().to_onnx(*args, **kwargs)  # type: ignore[misc]

    def to_openvino(self, *args: Any, **kwargs: Any) -> Path:
        """Write OpenVINO's two files.

        Args:
            args: Those of anomalib's ``to_openvino``.
            kwargs: Those of anomalib's ``to_openvino``.

        Returns:
            The ``.xml`` file; the weights are beside it.

        Raises:
            ModuleNotFoundError: If a package of the extra ``export`` is missing.
        """
        _require("onnx", "onnxscript", "openvino")
        return super().to_openvino(*args, **kwargs)  # type: ignore[misc]


def _require(*packages: str) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        msg = (
            f"expected {', '.join(packages)} for this export, found no {', '.join(missing)}: "
            "pip install '.[export]' in a checkout of anogan_plugin"
        )
        raise ModuleNotFoundError(msg, name=missing[0])


@contextlib.contextmanager
def _as_far_as_calibrated(post_processor: object) -> Iterator[None]:
    """A file gives no labels, or no masks, where the model has no threshold for them."""
    if not isinstance(post_processor, HeldOutGoodPostProcessor):
        yield
        return
    before = post_processor.enable_thresholding, post_processor.judges_pixels
    post_processor.enable_thresholding &= post_processor.calibrated
    post_processor.judges_pixels &= not bool(torch.isnan(post_processor.pixel_threshold))
    try:
        yield
    finally:
        post_processor.enable_thresholding, post_processor.judges_pixels = before
