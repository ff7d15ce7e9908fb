# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ALAD (Zenati et al. 2018b): a bidirectional GAN with discriminators of its reconstructions."""

from anogan_plugin.models.alad.lightning_model import ALAD
from anogan_plugin.models.alad.torch_model import ALADModel

__all__ = ["ALAD", "ALADModel"]
