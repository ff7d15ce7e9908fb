# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A convolutional autoencoder with L2, L1 or SSIM loss (Bergmann et al. 2018)."""

from anogan_plugin.models.conv_autoencoder.lightning_model import ConvAutoencoder
from anogan_plugin.models.conv_autoencoder.torch_model import ConvAutoencoderModel

__all__ = ["ConvAutoencoder", "ConvAutoencoderModel"]
