# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What raw scores say about a model, as pure functions on arrays; nothing here imports torch.

Everywhere the label 1 (anomalous) is the positive class, and a higher score is more anomalous.
"""
