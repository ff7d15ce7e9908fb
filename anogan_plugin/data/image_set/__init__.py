# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Folders of pictures that this package writes, each with a ``dataset.json`` that vouches for it.

Nothing here imports torch: the processes that render start in a second.
"""

from .manifest import MANIFEST_NAME, Manifest
from .writer import EncodedPicture, ensure_image_set

__all__ = ["MANIFEST_NAME", "EncodedPicture", "Manifest", "ensure_image_set"]
