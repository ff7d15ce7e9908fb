# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Figures and tables from the files that a test leaves; nothing here imports torch."""
