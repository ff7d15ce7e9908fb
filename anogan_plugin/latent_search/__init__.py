# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The latent search: the nearest image that a frozen generator can make, for every image."""

from anogan_plugin.latent_search.result import Progress, SearchProgress, SearchResult
from anogan_plugin.latent_search.run import ImageSource
from anogan_plugin.latent_search.search import LatentSearch
from anogan_plugin.latent_search.settings import SEARCHES, SearchSettings, search_settings

__all__ = [
    "SEARCHES",
    "ImageSource",
    "LatentSearch",
    "Progress",
    "SearchProgress",
    "SearchResult",
    "SearchSettings",
    "search_settings",
]
