# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever goes wrong with the plugin, `import torch` and anomalib work on, and a warning says why.

A broken installation is a copy of the package that comes earlier on the path, with a module spoilt.
"""

import shutil
from pathlib import Path

import pytest

import anogan_plugin
from tests.processes import run_python

USE_ANOMALIB = """
import torch, anomalib.data, anomalib.models
torch.zeros(1), anomalib.models.Padim
print(
    hasattr(anomalib.models, "AnoGAN"),
    hasattr(anomalib.data, "OneClassDigits"),
    hasattr(anomalib.models, "VAE"),
    hasattr(anomalib.data, "ICMold"),
)
"""


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """Copy of the package in a folder of its own, which is to be put on the path."""
    original = Path(anogan_plugin.__path__[0])
    ignore = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(original, tmp_path / "path" / "anogan_plugin", ignore=ignore)


def use_anomalib(package: Path, *options: str, cwd: Path) -> tuple[str, str]:
    """Return what anomalib knows, and what is written to stderr, with this copy of the package."""
    environment = {"PYTHONPATH": str(package.parent)}
    result = run_python(*options, "-c", USE_ANOMALIB, cwd=cwd, environment=environment)
    return result.stdout.strip(), result.stderr


def test_what_is_broken_costs_only_itself(copied_package: Path, tmp_path: Path) -> None:
    model = copied_package / "models" / "anogan" / "__init__.py"
    model.write_text("import a_module_that_is_not_there\n")
    (copied_package / "data" / "one_class_digits" / "__init__.py").write_text("")

    known, stderr = use_anomalib(copied_package, cwd=tmp_path)

    assert known == "False False True True"
    assert "could not register anogan_plugin.models.anogan.AnoGAN" in stderr
    assert "ModuleNotFoundError: No module named 'a_module_that_is_not_there'" in stderr
    assert "could not register anogan_plugin.data.one_class_digits.OneClassDigits" in stderr
    assert "AttributeError" in stderr
    assert "TORCH_DEVICE_BACKEND_AUTOLOAD=0" in stderr


def test_a_missing_dependency_under_warnings_as_errors(
    copied_package: Path, tmp_path: Path
) -> None:
    (copied_package.parent / "wrapt.py").write_text("raise ImportError('no wrapt')\n")
    known, _ = use_anomalib(copied_package, "-W", "error::RuntimeWarning", cwd=tmp_path)
    assert known == "False False False False"


def test_it_steps_aside_for_a_class_of_that_name(tmp_path: Path) -> None:
    script = """
import sys, wrapt

def ship_anogan_upstream(module):
    upstream = {"__module__": "anomalib.models.image.anogan"}
    module.AnoGAN = type("Anogan", (module.AnomalibModule,), upstream)

wrapt.register_post_import_hook(ship_anogan_upstream, "anomalib.models.components.base")
import anomalib.models

assert not hasattr(anomalib.models, "AnoGAN")
assert "anogan_plugin.models.anogan" not in sys.modules  # else "Multiple subclasses with name"

import anogan_plugin.models.anogan  # by its full name it is there
assert not hasattr(anomalib.models, "AnoGAN")
"""
    stderr = run_python("-c", script, cwd=tmp_path).stderr
    assert "means anomalib.models.image.anogan.Anogan, not anogan_plugin.models.anogan" in stderr


def test_it_can_be_switched_off_and_the_full_name_still_works(tmp_path: Path) -> None:
    script = """
import sys
import anomalib.models
from jsonargparse import ArgumentParser

assert not hasattr(anomalib.models, "AnoGAN")
assert "anogan_plugin" not in sys.modules
parser = ArgumentParser()
parser.add_subclass_arguments(anomalib.models.AnomalibModule, "model")
arguments = parser.parse_args(["--model=anogan_plugin.models.anogan.AnoGAN"])
print(type(parser.instantiate_classes(arguments).model).__name__)
"""
    environment = {"TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
    assert run_python("-c", script, cwd=tmp_path, environment=environment).stdout == "AnoGAN\n"
