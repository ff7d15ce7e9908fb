# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Runs jobs on a Ray cluster; needs ``pip install 'anogan_plugin[ray]'``."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.runner import Finished, JobRunner
from anogan_plugin.comparison.yaml_lines import ConfigurationError

_RETRIES = 3
"""How many lost nodes or killed processes a job survives."""
_SECONDS_BETWEEN_LOOKS = 1.0


class RayRunner(JobRunner):
    """One task per job. The job of a node that is lost is run again on another.

    All nodes must see the folder of the results under one path, and have this package.

    Args:
        address: Of the cluster, ``auto`` for the one that this machine is part of, or ``local``
            for one that ends with this process.
        cores: That a job takes, of a node; all of a node's for timing.

    Raises:
        ConfigurationError: If Ray is not installed or there is no cluster.
    """

    def __init__(self, address: str, cores: int = 1) -> None:
        super().__init__()
        try:
            import ray
        except ImportError as error:
            msg = "--ray needs Ray: pip install 'anogan_plugin[ray]'"
            raise ConfigurationError(msg) from error
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            msg = f"--ray {address}: there is no cluster ({error}); start one by `ray start --head`"
            raise ConfigurationError(msg) from error
        self._ray = ray
        self._cores = cores

    @property
    def workers(self) -> int:
        """Jobs that the cluster can run at a time."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1) // self._cores))

    def execute(self, stage: str, jobs: list[Job], output: Path, alone: bool) -> Iterator[Finished]:
        """Run jobs; see :meth:`JobRunner.execute`."""
        # Paths of this process mean nothing in the folder of another.
        folder, waiting = output.absolute(), list(jobs)
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < (1 if alone else self.workers):
                    job = waiting.pop(0)
                    running[self._start(stage, job, folder, alone)] = job
                self.running = tuple(running.values())
                ended, _ = self._ray.wait(list(running), timeout=_SECONDS_BETWEEN_LOOKS)
                for reference in ended:
                    yield Finished(running.pop(reference), self._reason(reference))
                self.look()
        finally:
            self.running = ()
            for reference in running:
                self._ray.cancel(reference, force=True)

    def _start(self, stage: str, job: Job, output: Path, alone: bool) -> Any:
        gpus = 1 if self._ray.cluster_resources().get("GPU") else 0
        # A process of its own for each: peak memory is a process's, and so is what is printed.
        task = self._ray.remote(max_calls=1)(_work).options(
            num_cpus=self._largest_node() if alone else self._cores,
            num_gpus=gpus,
            max_retries=_RETRIES,
        )
        return task.remote(stage, job, output, bool(gpus))

    def _largest_node(self) -> int:
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        return int(max(node["Resources"].get("CPU", 0) for node in nodes))

    def _reason(self, reference: Any) -> str | None:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def _work(stage: str, job: Job, output: Path, gpu: bool) -> str | None:
    import ray

    from anogan_plugin.comparison.worker import work

    cores = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1))
    os.environ["OMP_NUM_THREADS"] = str(cores)
    # Ray shows a task only its own GPU, as the first.
    return work(stage, job, output, "cuda:0" if gpu else "cpu", cores)
