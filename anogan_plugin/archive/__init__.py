# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores any number of images into Parquet: ``anomalib score``."""
