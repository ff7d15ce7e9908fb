# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever a process imports first, anomalib knows the plugin's classes afterwards."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from anogan_plugin.registration import DATA_MODULES, MODELS, PIPELINES
from tests.processes import run_python

PROBE = Path(__file__).with_name("probe.py")

FIRST_IMPORTS = [
    "torch",
    "anomalib.data",
    "anomalib.models.components",
    "anomalib.cli",
    "anogan_plugin",
    "anogan_plugin.latent_search",
    MODELS["AnoGAN"],
    DATA_MODULES["ICMold"],
    PIPELINES["compare"][0],
]
MODULES = [
    "lightning",
    "anomalib.engine",
    "anomalib.models.image.padim",
    "anomalib.pipelines",
    "anogan_plugin.registration",
    "anogan_plugin.rendering",
    *(module for module, _ in PIPELINES.values()),
    *MODELS.values(),
    *DATA_MODULES.values(),
]
OTHERS = sorted({*MODULES} - {*FIRST_IMPORTS})
"""Alike: a process of several seconds for each is only spent when asked for."""


Probes = dict[str, Future[CompletedProcess[str]]]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probes]:
    """The processes, two at a time: each spends several seconds importing anomalib."""
    folder = tmp_path_factory.mktemp("probes")
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {m: pool.submit(run_python, PROBE, m, cwd=folder) for m in FIRST_IMPORTS}


@pytest.mark.parametrize("module", FIRST_IMPORTS)
def test_registered_whatever_is_imported_first(module: str, probes: Probes) -> None:
    result = probes[module].result()
    assert "anogan_plugin" not in result.stderr  # no warning


@pytest.mark.slow
@pytest.mark.parametrize("module", OTHERS)
def test_registered_if_another_module_is_imported_first(module: str, tmp_path: Path) -> None:
    assert "anogan_plugin" not in run_python(PROBE, module, cwd=tmp_path).stderr


def test_importing_the_package_imports_neither_torch_nor_anomalib(tmp_path: Path) -> None:
    script = (
        "import sys, anogan_plugin; assert not {'torch', 'anomalib', 'lightning'} & {*sys.modules}"
    )
    run_python("-c", script, cwd=tmp_path)


def test_registering_costs_little_beside_importing_torch(tmp_path: Path) -> None:
    script = """
import time
start = time.perf_counter()
import torch
torch_imported = time.perf_counter()
import anogan_plugin
registered = time.perf_counter()
print((registered - torch_imported) / (torch_imported - start))
"""
    environment = {"TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
    ratio = float(run_python("-c", script, cwd=tmp_path, environment=environment).stdout)
    assert ratio < 0.05
