# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib score --ray`` on a cluster of this machine."""

from pathlib import Path

import numpy as np
import pytest

from tests.archive.small import (
    HERE,
    brightness,
    rows,
    score_here,
    write_images,
)

cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs ray (anogan_plugin[ray])")


@pytest.mark.slow
def test_ray_data_scores_the_same_rows(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    folder = write_images(tmp_path / "images", range(45))
    (folder / "00020.png").write_bytes(b"")
    command = ["--images", str(folder), "--ckpt_path", str(checkpoint), "--shard", "10"]
    command += ["--model", "tests.comparison.broken.BrokenModel"]
    memory = {"object_store_memory": 80_000_000}
    cluster = cluster_utils.Cluster(True, head_node_args={"num_cpus": 1, **memory})
    cluster.add_node(num_cpus=1, **memory)
    try:
        ended = score_here([*command, "--output", str(tmp_path / "out"), "--ray", cluster.address])
    finally:
        import ray

        ray.shutdown()
        cluster.shutdown()
    assert ended.code == 0, ended.said
    table = rows(tmp_path / "out")
    assert len(table) == 45
    readable = table[table.error.isna()]
    assert len(readable) == 44
    levels = [int(path[:5]) for path in readable.path]
    np.testing.assert_allclose(readable.score, brightness(levels), rtol=1e-6)
    (tmp_path / "out" / "part-000002.parquet").unlink()
    here = score_here([*command, "--output", str(tmp_path / "out"), "--workers", "1"])
    assert "35 of 45 images were scored before" in here.said
    assert rows(tmp_path / "out").equals(table)
