# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""anomalib models of this package: one folder each, shared parts in ``components``."""
