# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What was not computed alike is said in the summary."""

import json
from pathlib import Path
from typing import Any

import pytest

from anogan_plugin.report.comparison import write_tables
from tests.report.comparison.made_results import MOULD, PATCHCORE, Size, folder_of, make_results

SMALL = Size(good=12, anomalous=12, held_out=20)
ALIKE = {"torch": "2.10.0", "commit": None, "images": "abc", "host": "one", "threads": 2}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=3, size=SMALL)
    for seed in range(3):
        change(output, seed, "result.json", environment=ALIKE)
        change(output, seed, "timing.json", environment=ALIKE)
    return output


def change(output: Path, seed: int, name: str, **values: Any) -> None:
    path = folder_of(output, PATCHCORE, MOULD, seed) / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def summary(output: Path) -> str:
    write_tables(output)
    return (output / "summary.md").read_text()


def test_nothing_is_said_where_all_is_alike(output: Path) -> None:
    change(output, 1, "result.json", environment={**ALIKE, "host": "two", "threads": 1})
    text = summary(output)
    assert "several" not in text
    assert "for want of memory" not in text


def test_several_versions_and_machines_are_named(output: Path) -> None:
    change(output, 1, "result.json", environment={**ALIKE, "torch": "2.11.0", "commit": "a"})
    change(output, 2, "timing.json", environment={**ALIKE, "host": "two"})
    text = summary(output)
    assert (
        "Jobs were computed with several versions: torch 2.10.0 (2 of 3), 2.11.0 (1 of 3); "
        "commit a (1 of 3), unknown (2 of 3)."
    ) in text
    assert (
        "Times are of several machines: 2 threads, one (2 of 3); 2 threads, two (1 of 3)." in text
    )
    assert "torch 2.10.0 (2 of 3)" in (output / "summary.tex").read_text()


def test_arguments_that_memory_did_not_allow_are_named(output: Path) -> None:
    change(output, 1, "result.json", changed_arguments={"coreset_sampling_ratio": 0.0481})
    text = summary(output).replace("\\", "")
    assert "Patchcore, IC mould, seed 1: for want of memory trained with" in text
    assert "coreset_sampling_ratio 0.0481" in text
