# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Principal components of good images: what a method that trains networks has to beat."""

from anogan_plugin.models.pca.lightning_model import PCA
from anogan_plugin.models.pca.torch_model import PCAModel

__all__ = ["PCA", "PCAModel"]
