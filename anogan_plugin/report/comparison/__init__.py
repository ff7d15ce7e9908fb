# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tables and pictures of a comparison, from its results folder alone; without torch."""

from anogan_plugin.report.comparison.pictures import write_pictures
from anogan_plugin.report.comparison.so_far import table_so_far
from anogan_plugin.report.comparison.write import write_tables

__all__ = ["table_so_far", "write_pictures", "write_tables"]
