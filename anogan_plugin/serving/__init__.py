# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores images over HTTP: ``anomalib serve``."""
