# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A cluster of several nodes on this machine, one of which is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.comparison.gates import make_gate, open_for_good, wait_for
from tests.comparison.small import (
    HERE,
    TIMEOUT,
    broken,
    compare,
    jobs_of,
    small_comparison,
    start,
    write,
)

cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs ray (anogan_plugin[ray])")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head on which nothing runs, and two nodes for a job each."""
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    memory = {"object_store_memory": 80_000_000}
    cluster = cluster_utils.Cluster(True, head_node_args={"num_cpus": 0, **memory})
    for _ in range(2):
        cluster.add_node(num_cpus=1, **memory)
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
def test_job_of_a_lost_node_is_run_on_another(
    cluster: Any, rendered_set: Path, tmp_path: Path
) -> None:
    configuration = small_comparison(rendered_set)
    gate = make_gate(tmp_path)
    configuration["models"] = [broken(name, "wait", go=str(gate)) for name in ("one", "two")]
    configuration["models"][1]["trainer"] = {"max_epochs": 2}  # or they would share the training
    config = write(tmp_path / "c.yaml", configuration)
    on_cluster = ("--ray", cluster.address, "--cores")
    refused = compare(config, *on_cluster, "2", environment=HERE)
    assert refused.returncode == 2
    assert "--cores is 2, but no node has more than 1" in refused.stdout
    running = start(config, *on_cluster, "1", environment=HERE)
    children = wait_for(2, gate, running)
    lost = cluster.worker_nodes.copy().pop()
    cluster.remove_node(lost, allow_graceful=False)
    processes = [psutil.Process(pid) for pid in children if psutil.pid_exists(pid)]
    assert len(psutil.wait_procs(processes, timeout=TIMEOUT / 10)[1]) == 1
    open_for_good(gate)
    said, _ = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 0, said
    for folder in jobs_of(config).values():
        assert json.loads((folder / "result.json").read_text())["status"] == "done"
        assert (folder / "timing.json").exists()
