# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""EfficientGAN (Zenati et al. 2018), also known as EGBAD: a BiGAN that scores without a search."""

from anogan_plugin.models.efficient_gan.lightning_model import EfficientGAN
from anogan_plugin.models.efficient_gan.torch_model import EfficientGANModel

__all__ = ["EfficientGAN", "EfficientGANModel"]
