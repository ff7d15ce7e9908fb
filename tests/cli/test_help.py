# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The help of the stock command says what each argument of the plugin's classes means."""

import importlib
import inspect
import re

import pytest
from anomalib.cli import AnomalibCLI

from anogan_plugin.registration import DATA_MODULES, MODELS

CLASSES = [("model", name, module) for name, module in MODELS.items()] + [
    ("data", name, module) for name, module in DATA_MODULES.items()
]


def descriptions(help_text: str, group: str) -> dict[str, str]:
    """Text after each option of ``group``, without the type and default that jsonargparse adds."""
    _, *entries = re.split(rf"^  --{group}\.", help_text, flags=re.MULTILINE)
    found = {}
    for entry in entries:
        option, _, text = re.sub(r"\s+\(type: .*", "  ", entry, flags=re.DOTALL).partition("  ")
        found[re.split(r"[\s,]", option)[0]] = " ".join(text.split())
    return found


def test_descriptions_are_read_correctly() -> None:
    help_text = """\
  --data.root ROOT      Folder of
                        the images. (type: str, default: a)
  --data.kinds KINDS, --data.kinds+ KINDS
                        What to render. (type: list[str])
  --data.seed SEED
                        (type: int, default: 0)
"""
    expected = {"root": "Folder of the images.", "kinds": "What to render.", "seed": ""}
    assert descriptions(help_text, "data") == expected


@pytest.mark.parametrize(("group", "name", "module"), CLASSES)
def test_every_argument_is_explained(
    group: str,
    name: str,
    module: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In this process: to start the command takes ten seconds, to print its help one.
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit, match="0"):
        AnomalibCLI(["train", f"--{group}.help", name])
    explained = descriptions(capsys.readouterr().out, group)

    arguments = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert arguments.keys() <= explained.keys()
    assert [argument for argument in arguments if not explained[argument]] == []
