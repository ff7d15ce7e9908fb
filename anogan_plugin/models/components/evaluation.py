# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Metrics that are right for raw scores, whatever their range."""

import torch
from anomalib.metrics import AnomalibMetric, Evaluator, F1Score
from torchmetrics.classification import BinaryAUROC


def rank_preserving_unit_interval(scores: torch.Tensor) -> torch.Tensor:
    """Map float32 scores into [0, 1) without changing one comparison between two of them.

    torchmetrics takes scores outside [0, 1] for logits and applies a sigmoid, in which AnoGAN's
    sums of hundreds all become 1 and their AUROC 0.5. The bits of two floats, read as integers,
    compare as the floats do, so this map is exact for every finite value.

    Args:
        scores: Finite floats of any shape and range; read as float32.

    Returns:
        The same shape, float64 in [0, 1).

    Example:
        >>> bool((rank_preserving_unit_interval(torch.tensor([-3.0, 0.5, 800.0])).diff() > 0).all())
        True
    """
    bits = (scores.float() + 0.0).view(torch.int32)  # + 0.0 makes -0.0 equal to 0.0
    ordered = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    return (ordered.double() + 2**31) / 2**32


class _RankAUROC(BinaryAUROC):
    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        super().update(rank_preserving_unit_interval(preds).flatten(), target.flatten())


class AUROC(AnomalibMetric, _RankAUROC):  # type: ignore[misc]  # as anomalib composes its own
    """Area under the ROC curve for scores of any range, equal to scikit-learn's on the same scores.

    Args:
        fields: The batch's fields with the scores and the labels.
        prefix: Put in front of the metric's name.
        strict: Whether a batch without the fields is an error.
    """


def raw_score_evaluator() -> Evaluator:
    """anomalib's four default test metrics, right for scores of any range.

    Returns:
        Evaluator with ``image_AUROC``, ``image_F1Score`` where there is a threshold and, where
        there are masks, ``pixel_AUROC`` and ``pixel_F1Score``.
    """
    return Evaluator(
        test_metrics=[
            AUROC(fields=["pred_score", "gt_label"], prefix="image_"),
            F1Score(fields=["pred_label", "gt_label"], prefix="image_", strict=False),
            AUROC(fields=["anomaly_map", "gt_mask"], prefix="pixel_", strict=False),
            F1Score(fields=["pred_mask", "gt_mask"], prefix="pixel_", strict=False),
        ],
    )
