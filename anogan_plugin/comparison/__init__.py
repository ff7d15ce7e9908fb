# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib compare``: models × data sets × seeds under identical metrics, with nothing lost."""
