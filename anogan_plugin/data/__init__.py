# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images on disk, and the data modules that hand them to anomalib.

This package itself is empty, so that what writes images runs without importing torch.
"""
