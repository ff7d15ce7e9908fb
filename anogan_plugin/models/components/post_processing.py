# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Thresholds and p-values from held-out good images; scores left as they are."""

import math

import torch
from anomalib.data import InferenceBatch
from anomalib.post_processing import PostProcessor
from lightning.pytorch.utilities import rank_zero_warn

from anogan_plugin.statistics.inspection import held_out_images_needed, held_out_threshold

_MOST_SCORES = 512


class HeldOutGoodPostProcessor(PostProcessor):
    """Keeps raw scores and rejects what lies above a quantile of held-out good images.

    anomalib's own post-processor clamps scores to [0, 1] around the validation range, which makes
    ties and hides how large an anomaly is, and it picks the threshold with the best F1 on labelled
    defects. Here a stated share of good parts is rejected, and no defect is looked at.

    The image threshold is the ⌈(N + 1)(1 − α)⌉-th smallest of N held-out scores, so that a good
    image like them is rejected with probability α at most; with fewer than 1/α − 1 of them it is
    the largest, and a warning says what that promises. The pixel threshold is the (1 − α) quantile
    of all pixels.

    Args:
        overkill: α, the share of good images that the threshold may reject, in (0, 1).

    Raises:
        ValueError: If ``overkill`` is outside (0, 1).
    """

    def __init__(self, overkill: float = 0.01) -> None:
        if not 0 < overkill < 1:
            msg = f"overkill must be between 0 and 1, got {overkill}"
            raise ValueError(msg)
        super().__init__(enable_normalization=False)
        self.overkill = overkill
        self.register_buffer("_good_scores", torch.full((_MOST_SCORES,), math.nan))

    _good_scores: torch.Tensor
    judges_pixels = True
    """Whether a call gives masks; an exported file has none where there is no pixel threshold."""

    def forward(self, predictions: InferenceBatch) -> InferenceBatch:
        """Judge scores, and pixels unless :attr:`judges_pixels` is False.

        Args:
            predictions: Raw scores ``(B,)`` and anomaly maps ``(B, H, W)``.

        Returns:
            The same with labels and masks.
        """
        judged = super().forward(predictions)
        return judged if self.judges_pixels else judged._replace(pred_mask=None)

    @property
    def _checkpoint_config_keys(self) -> tuple[str, ...]:
        return (*super()._checkpoint_config_keys, "overkill")

    @property
    def calibrated(self) -> bool:
        """Whether the thresholds have been set."""
        return not bool(torch.isnan(self._image_threshold))

    def reset(self) -> None:
        """Forget the held-out images."""
        self._good_scores.fill_(math.nan)
        self._image_threshold.fill_(math.nan)
        self._pixel_threshold.fill_(math.nan)

    def calibrate(self, pred_score: torch.Tensor, anomaly_map: torch.Tensor) -> None:
        """Set both thresholds, and remember the scores for p-values.

        Args:
            pred_score: ``(N,)`` raw scores of held-out good images.
            anomaly_map: ``(N, H, W)`` their anomaly maps.
        """
        self._image_threshold.fill_(self.threshold_of(pred_score.detach().float()))
        self._pixel_threshold.copy_(_quantile(anomaly_map, 1 - self.overkill))
        kept = min(len(pred_score), _MOST_SCORES)  # of more, their quantiles
        ranks = (
            torch.linspace(0, len(pred_score) - 1, kept, device=pred_score.device).round().long()
        )
        self._good_scores.fill_(math.nan)[:kept] = pred_score.sort().values[ranks]

    def threshold_of(self, good: torch.Tensor) -> float:
        """The image threshold that held-out good images give.

        Args:
            good: ``(N,)`` their raw scores.

        Returns:
            The threshold for :attr:`overkill`.
        """
        if len(good) >= held_out_images_needed(self.overkill):
            return held_out_threshold(good.cpu().numpy(), self.overkill)
        least = 1 / (len(good) + 1)
        kept = ", or quantiles of more," if len(good) == _MOST_SCORES else ""
        rank_zero_warn(
            f"an overkill of {self.overkill:g} takes at least "
            f"{held_out_images_needed(self.overkill)} held-out good images, found "
            f"{len(good)}{kept}: the threshold is their largest score, which promises {least:.2g}; "
            f"hold out more, or give an overkill of {least:.2g} or more"
        )
        return float(good.max())

    @property
    def good_scores(self) -> torch.Tensor:
        """``(N,)`` raw scores of the held-out good images, 512 quantiles of more; empty without."""
        return self._good_scores[~torch.isnan(self._good_scores)]

    def p_values(self, pred_score: torch.Tensor) -> torch.Tensor:
        """How rarely a good image scores as high: conformal p-values (Vovk et al. 2005).

        ``p = (1 + #{held-out good images with a score of at least s}) / (N + 1)``. Of good images
        like those held out, a share of at most α gets a p-value of α or less, whatever the
        distribution of scores; none is below 1 / (N + 1).

        Args:
            pred_score: ``(B,)`` raw scores.

        Returns:
            ``(B,)`` in (0, 1]; 1 where nothing was held out.
        """
        good = self.good_scores
        as_high = (good[None] >= pred_score[:, None]).sum(1)
        return (1 + as_high) / (len(good) + 1)

    @property
    def normalized_image_threshold(self) -> torch.Tensor:
        """The image threshold; anomalib's would be 0.5, although nothing is normalised here."""
        return self.image_threshold

    @property
    def normalized_pixel_threshold(self) -> torch.Tensor:
        """The pixel threshold, likewise."""
        return self.pixel_threshold

    @staticmethod
    def _apply_threshold(
        preds: torch.Tensor | None,
        threshold: torch.Tensor,
    ) -> torch.Tensor | None:
        if preds is None:
            return None
        # anomalib's hands the scores out as labels where there is no threshold. A graph that is
        # being exported has no values to look at; exporting.py sees to it before.
        if not torch.compiler.is_exporting() and bool(torch.isnan(threshold)):
            return None
        return preds > threshold

    def on_validation_batch_end(self, *args: object, **kwargs: object) -> None:
        """Do nothing: validation during training scores nothing."""

    def on_validation_epoch_end(self, *args: object, **kwargs: object) -> None:
        """Do nothing: the thresholds come from :meth:`calibrate`."""


def _quantile(values: torch.Tensor, share: float) -> torch.Tensor:
    # torch.quantile refuses more than 16 million values: a few hundred 256 x 256 maps.
    ordered = values.detach().float().flatten().sort().values
    # The smallest value with at least this share at or below it; what lies above is rejected.
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
