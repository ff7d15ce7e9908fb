# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The wheel holds the package and no more, registers itself, and leaves nothing behind.

The environment for it is a new one, with links to what is installed where the tests run, so that
nothing is downloaded.
"""

import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.processes import run, run_python

REPOSITORY = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("probe.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel of the package, built offline."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    run_python("-m", "pip", "wheel", *options, REPOSITORY, cwd=folder)
    return next(folder.glob("anogan_plugin-*.whl"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Virtual environment with everything but this package."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if "anogan_plugin" not in installed.name:
            (_site_packages(folder) / installed.name).symlink_to(installed)
    return folder


def _site_packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))


def test_the_wheel_holds_the_package_only(wheel: Path) -> None:
    package = REPOSITORY / "anogan_plugin"
    expected = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "anogan_plugin/py.typed" in names


def test_install_use_uninstall(wheel: Path, environment: Path, tmp_path: Path) -> None:
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    before = {*_site_packages(environment).iterdir()}

    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    result = run(python, PROBE, "torch", cwd=tmp_path)
    assert "anogan_plugin" not in result.stderr

    run(*pip, "uninstall", "--yes", "anogan_plugin", cwd=tmp_path)
    assert {*_site_packages(environment).iterdir()} == before
    script = "import torch, anomalib.models; assert not hasattr(anomalib.models, 'AnoGAN')"
    assert "anogan_plugin" not in run(python, "-c", script, cwd=tmp_path).stderr
