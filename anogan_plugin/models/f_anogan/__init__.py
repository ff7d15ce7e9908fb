# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""f-AnoGAN (Schlegl et al. 2019): an encoder in place of AnoGAN's latent search."""

from anogan_plugin.models.f_anogan.lightning_model import FAnoGAN
from anogan_plugin.models.f_anogan.torch_model import FAnoGANModel

__all__ = ["FAnoGAN", "FAnoGANModel"]
