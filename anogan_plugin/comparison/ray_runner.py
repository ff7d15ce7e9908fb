# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Runs jobs on a Ray cluster; needs ``pip install '.[ray]'``."""

import os
from pathlib import Path
from typing import Any

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import TIMING
from anogan_plugin.comparison.runner import JobRunner
from anogan_plugin.comparison.yaml_lines import ConfigurationError
from anogan_plugin.subcommands.cluster import connect

_RETRIES = 3
"""How many lost nodes or killed processes a job survives."""
_SECONDS_BETWEEN_LOOKS = 1.0


class RayRunner(JobRunner):
    """One task per job. The job of a node that is lost is run again on another.

    All nodes must see the folder of the results under one path, and have this package.

    Args:
        address: Of the cluster, ``auto`` for the one that this machine is part of, or ``local``
            for one that ends with this process.
        cores: That a job takes, of a node; None takes one. Timing has all of a node's.

    Raises:
        ClusterError: If Ray is not installed or there is no cluster.
        ConfigurationError: If no node has so many cores.
    """

    def __init__(self, address: str, cores: int | None = None) -> None:
        super().__init__()
        self._ray = connect(address)
        self._cores = cores or 1
        if self._cores > (most := _cores_of(self._largest_node())):
            msg = f"--cores is {self._cores}, but no node has more than {most}"
            raise ConfigurationError(msg)

    @property
    def workers(self) -> int:
        """Jobs that the cluster can run at a time."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1) // self._cores))

    def start(self, stage: str, job: Job, output: Path) -> Any:
        """Start a task; see :meth:`JobRunner.start`."""
        gpus = 1 if self._ray.cluster_resources().get("GPU") else 0
        where = self._alone() if stage == TIMING else {"num_cpus": self._cores}
        # A process of its own for each: peak memory is a process's, and so is what is printed.
        task = self._ray.remote(max_calls=1)(_work)
        # Paths of this process mean nothing in the folder of another.
        arguments = (stage, job, output.absolute(), bool(gpus))
        options = {**where, "num_gpus": gpus, "max_retries": _RETRIES}
        return task.options(**options).remote(*arguments)

    def wait(self, tasks: list[Any]) -> list[Any]:
        """See :meth:`JobRunner.wait`."""
        if not tasks:
            return []
        return self._ray.wait(tasks, timeout=_SECONDS_BETWEEN_LOOKS)[0]

    def reason(self, task: Any) -> str | None:
        """See :meth:`JobRunner.reason`."""
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"

    def end(self, tasks: list[Any]) -> None:
        """See :meth:`JobRunner.end`."""
        for task in tasks:
            self._ray.cancel(task, force=True)

    def _alone(self) -> dict[str, Any]:
        """All of the largest node, so that all jobs are timed on one machine while that lives."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = self._largest_node()
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=True)
        return {"num_cpus": _cores_of(node), "scheduling_strategy": there}

    def _largest_node(self) -> dict[str, Any]:
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        return max(nodes, key=lambda node: (_cores_of(node), node["NodeID"]))


def _cores_of(node: dict[str, Any]) -> int:
    return int(node["Resources"].get("CPU", 0))


def _work(stage: str, job: Job, output: Path, gpu: bool) -> str | None:
    import ray

    from anogan_plugin.comparison.worker import work

    cores = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1))
    os.environ["OMP_NUM_THREADS"] = str(cores)
    # Ray shows a task only its own GPU, as the first.
    return work(stage, job, output, "cuda:0" if gpu else "cpu", cores)
