# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A plain classifier that learns from labelled defects: the prior work, and an upper bound."""

from anogan_plugin.models.supervised_cnn.lightning_model import SupervisedCNN
from anogan_plugin.models.supervised_cnn.torch_model import SupervisedCNNModel

__all__ = ["SupervisedCNN", "SupervisedCNNModel"]
