# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Who scores the shards: processes of this machine, or of a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from anogan_plugin.archive.shard_scorer import Task


class ShardRunner(ABC):
    """Has shards scored, several at a time."""

    @abstractmethod
    def run(self, task: Task, shards: list[int]) -> Iterator[int]:
        """Score shards.

        Args:
            task: What is to be done.
            shards: Their numbers.

        Yields:
            Now and then, at least when a shard is done: how many images have been scored so far.

        Raises:
            RuntimeError: If one can't be scored; its message says why.
        """
