# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN (Schlegl et al. 2017), as Nakaoka & Kimoto applied it to IC packages."""

from anogan_plugin.models.anogan.lightning_model import AnoGAN
from anogan_plugin.models.anogan.torch_model import AnoGANModel

__all__ = ["AnoGAN", "AnoGANModel"]
