# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Photographs of moulded IC packages: rendered, painted, or the user's own."""

from .datamodule import ICMold

__all__ = ["ICMold"]
