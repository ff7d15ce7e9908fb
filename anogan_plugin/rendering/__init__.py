# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of moulded IC packages, rendered from nothing or painted on photographs."""

from .config import RenderConfig, RenderedPart
from .defects import DEFECT_KINDS
from .find_body import find_body
from .painting import paint_defect
from .part import render_part

RENDERER_VERSION = "3"
"""Changes whenever any pixel of any picture changes."""

__all__ = [
    "DEFECT_KINDS",
    "RENDERER_VERSION",
    "RenderConfig",
    "RenderedPart",
    "find_body",
    "paint_defect",
    "render_part",
]
