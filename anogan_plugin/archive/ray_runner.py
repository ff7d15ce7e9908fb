# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Scores shards on a Ray cluster with Ray Data; needs ``pip install '.[ray]'``."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from anogan_plugin.archive.runner import ShardRunner
from anogan_plugin.archive.shard_scorer import ShardScorer, Task
from anogan_plugin.subcommands.cluster import connect


class RayRunner(ShardRunner):
    """An actor per core, or per GPU where the cluster has any; shards of a lost one go to others.

    All nodes must see the folder of the scores, the checkpoint and the images under one address,
    and have this package.

    Args:
        address: Of the cluster, ``auto`` for the one that this machine is part of, or ``local``
            for one that ends with this process.

    Raises:
        ClusterError: If Ray is not installed or there is no cluster.
    """

    def __init__(self, address: str) -> None:
        self._ray = connect(address)

    def run(self, task: Task, shards: list[int]) -> Iterator[int]:
        """See :meth:`ShardRunner.run`."""
        ray = self._ray
        # Paths of this process mean nothing in the folder of another.
        source = replace(task.source, weights=task.source.weights.absolute())
        address = task.images if "://" in task.images else str(Path(task.images).absolute())
        task = replace(task, images=address, output=task.output.absolute(), source=source)
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        most = min(len(shards), gpus or max(1, int(resources.get("CPU", 1))))
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        rows = [{"shard": number} for number in shards]
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Actor,
            fn_constructor_args=(task, "cuda:0" if gpus else "cpu"),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
            num_cpus=None if gpus else 1,
            num_gpus=1 if gpus else None,
        )
        images = 0
        try:
            for row in done.iter_rows():
                images += row["images"]
                yield images
        except ray.exceptions.RayError as error:
            raise RuntimeError(str(error).strip().splitlines()[-1]) from error


class _Actor:
    """What runs on the cluster."""

    def __init__(self, task: Task, device: str) -> None:
        torch.set_num_threads(1)
        self._images = 0
        self._scorer = ShardScorer(task, device, self._add)

    def _add(self, count: int) -> None:
        self._images += count

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        before = self._images
        for number in batch["shard"].tolist():
            self._scorer.score(number)
        return {"images": np.array([self._images - before])}
