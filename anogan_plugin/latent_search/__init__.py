# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The latent search: the nearest image that a frozen generator can make, for every image."""

from anogan_plugin.latent_search.search import LatentSearch, Progress, SearchResult, SearchSettings

__all__ = ["LatentSearch", "Progress", "SearchResult", "SearchSettings"]
