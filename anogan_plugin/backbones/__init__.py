# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pretrained networks for anomalib's own models without a download, and memory for PatchCore."""
