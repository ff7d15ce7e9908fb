# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images in, raw scores out: one interface to whatever scores them."""

from anogan_plugin.scoring.checkpoint import CheckpointScorer, load_weights
from anogan_plugin.scoring.scorer import Scored, Scorer, as_numbers, score_parts
from anogan_plugin.scoring.sequence import Lookahead, batches

__all__ = [
    "CheckpointScorer",
    "Lookahead",
    "Scored",
    "Scorer",
    "as_numbers",
    "batches",
    "load_weights",
    "score_parts",
]
