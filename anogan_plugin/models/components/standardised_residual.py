# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The residual measured against what good images leave there, pixel by pixel.

A generator never makes all of a good part: edges, marking and grain are left over in every image,
and a sum over the image drowns a defect in them. What good images leave is known, though, and can
be taken out.
"""

import torch
from torch.nn import functional as F

from anogan_plugin.models.components.gan_settings import check_at_least
from anogan_plugin.models.components.learnt_from_good import FEWEST_IMAGES, LearntFromGood

_MOST_DIRECTIONS = 64
_IMAGES_PER_DIRECTION = 32
_COARSE_SIDE = 64  # principal components are of images of at most this side: bounds their memory
_SMOOTHING_AT_64_PIXELS = 1.0
_LEAST_DEVIATION = 0.02  # of a pixel in [-1, 1]: 2.5 grey levels of 8 bits
_LEAST_SPREAD = 0.1  # of a smoothed |residual| in standard deviations


class StandardisedResidual(LearntFromGood):
    """Standardises residuals r = x − x̂ by those of good images; no defect is looked at.

    :meth:`fit` takes the residuals of N good images and learns, in this order,

    - m₀ and V, their mean and K = min(64, N / 32) leading principal components: what is wrong in
      the same way in many good images, such as lighting or a part that lies turned;
    - m and σ, mean and deviation of each pixel of r′ = r − m₀ − V Vᵀ(r − m₀);
    - μ and τ, mean and deviation of each pixel of a = g * |(r′ − m) / σ|, with g a Gaussian of
      one pixel's deviation at 64 pixels.

    σ² and τ² are enlarged by 0.02² and 0.1², so that a pixel that good images never change
    does not count for everything. The standardised map is (a − μ) / τ and the score its maximum:
    how many deviations the most unusual spot is off. Principal components are taken at 64 pixels
    or less, larger images are averaged down for them.

    Args:
        image_size: Side length of the square images in pixels.
        channels: Channels of the images.

    Example:
        >>> standardised = StandardisedResidual(image_size=32, channels=1)
        >>> good = torch.randn(64, 1, 32, 32) * 0.1
        >>> standardised.fit(good)
        >>> good[0, :, 10:13, 10:13] += 1.0
        >>> standardised(good).amax((1, 2)).argmax()
        tensor(0)
    """

    centre: torch.Tensor
    directions: torch.Tensor
    mean: torch.Tensor
    deviation: torch.Tensor
    level: torch.Tensor
    spread: torch.Tensor

    def __init__(self, image_size: int, channels: int) -> None:
        super().__init__()
        coarse = min(image_size, _COARSE_SIDE)
        pixel = (channels, image_size, image_size)
        self.smoothing = _SMOOTHING_AT_64_PIXELS * image_size / 64
        self.register_buffer("centre", torch.zeros(channels * coarse**2))
        self.register_buffer("directions", torch.zeros(_MOST_DIRECTIONS, channels * coarse**2))
        self.register_buffer("mean", torch.zeros(pixel))
        self.register_buffer("deviation", torch.ones(pixel))
        self.register_buffer("level", torch.zeros(pixel[1:]))
        self.register_buffer("spread", torch.ones(pixel[1:]))

    @torch.no_grad()
    def fit(self, residuals: torch.Tensor) -> None:
        """Learn what good images leave over.

        Args:
            residuals: ``(N, C, H, W)`` float32, x − x̂ of good images in [-1, 1].

        Raises:
            ValueError: If there are fewer than
                :data:`~anogan_plugin.models.components.learnt_from_good.FEWEST_IMAGES`.
        """
        check_at_least(FEWEST_IMAGES, number_of_good_images=len(residuals))
        coarse = self._coarse(residuals)
        self.centre.copy_(coarse.mean(0))
        count = min(_MOST_DIRECTIONS, len(residuals) // _IMAGES_PER_DIRECTION)
        _, _, components = torch.linalg.svd(coarse - self.centre, full_matrices=False)
        self.directions.zero_()[:count] = components[:count]
        left = self._without_directions(residuals)
        self.mean.copy_(left.mean(0))
        self.deviation.copy_((left.var(0) + _LEAST_DEVIATION**2).sqrt())
        smoothed = self._smoothed(left)
        self.level.copy_(smoothed.mean(0))
        self.spread.copy_((smoothed.var(0) + _LEAST_SPREAD**2).sqrt())
        self.fitted = True

    def forward(self, residuals: torch.Tensor) -> torch.Tensor:
        """The standardised map.

        Args:
            residuals: ``(B, C, H, W)`` float32, x − x̂.

        Returns:
            ``(B, H, W)``, in deviations of good images; 0 is what they have on average.
        """
        return (self._smoothed(self._without_directions(residuals)) - self.level) / self.spread

    def _without_directions(self, residuals: torch.Tensor) -> torch.Tensor:
        coarse = self._coarse(residuals)
        common = self.centre + (coarse - self.centre) @ self.directions.T @ self.directions
        side = round((common.shape[1] / residuals.shape[1]) ** 0.5)
        common = common.unflatten(1, (residuals.shape[1], side, side))
        if side < residuals.shape[-1]:
            common = F.interpolate(common, residuals.shape[-2:], mode="bilinear")
        return residuals - common

    def _smoothed(self, left: torch.Tensor) -> torch.Tensor:
        unusual = ((left - self.mean) / self.deviation).abs().mean(1, keepdim=True)
        return _gaussian_blur(unusual, self.smoothing)[:, 0]

    @staticmethod
    def _coarse(residuals: torch.Tensor) -> torch.Tensor:
        factor = max(residuals.shape[-1] // _COARSE_SIDE, 1)
        return F.avg_pool2d(residuals, factor).flatten(1)


def _gaussian_blur(images: torch.Tensor, deviation: float) -> torch.Tensor:
    """Smooth ``(B, 1, H, W)`` by a Gaussian of this deviation in pixels, reflected at the edges."""
    radius = max(1, round(3 * deviation))
    steps = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-(steps**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum())[None, None, :]
    padded = F.pad(images, (radius, radius, radius, radius), mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel[..., None]), kernel[:, :, None])
