# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What `import anogan_plugin` offers, and what the package says of itself."""

import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import anogan_plugin

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", anogan_plugin.__all__)
def test_public_names_are_classes_of_that_name(name: str) -> None:
    assert getattr(anogan_plugin, name).__name__ == name
    assert name in dir(anogan_plugin)


def test_every_registered_class_is_public() -> None:
    assert {*anogan_plugin.MODELS, *anogan_plugin.DATA_MODULES} <= {*anogan_plugin.__all__}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'PatchGAN'"):
        _ = anogan_plugin.PatchGAN


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == anogan_plugin.__version__
    assert importlib.metadata.version("anogan_plugin") == anogan_plugin.__version__


def test_the_citation_names_the_papers() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == "Apache-2.0"
    first_authors = [paper["authors"][0]["family-names"] for paper in citation["references"]]
    assert {"Schlegl", "Nakaoka", "Zenati", "Bergmann", "Akcay"} <= {*first_authors}


def imported_packages() -> Iterator[str]:
    """Yield the first part of the name of whatever a module of the package imports."""
    for path in (REPOSITORY / "anogan_plugin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_what_is_imported_is_what_is_declared() -> None:
    providers = importlib.metadata.packages_distributions()
    foreign = set(imported_packages()) - sys.stdlib_module_names - {"anogan_plugin"}
    imported = {canonicalize_name(providers[name][0]) for name in foreign}

    requirements = [Requirement(r) for r in importlib.metadata.requires("anogan_plugin") or []]
    declared = {canonicalize_name(r.name) for r in requirements if r.marker is None}
    extras = {canonicalize_name(r.name) for r in requirements if r.marker is not None}
    assert imported - (extras - declared) == declared
