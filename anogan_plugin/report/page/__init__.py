# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The report of a comparison as one page, and its figures for print; without torch."""

from anogan_plugin.report.page.figures import NAMES, write_figures
from anogan_plugin.report.page.page import write_page

__all__ = ["NAMES", "write_figures", "write_page"]
