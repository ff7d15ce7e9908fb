# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The statistics run where no torch is."""

from pathlib import Path

import anogan_plugin.statistics as package
from tests.processes import run_python


def test_statistics_need_neither_torch_nor_anomalib(tmp_path: Path) -> None:
    modules = sorted(path.stem for path in Path(package.__path__[0]).glob("*.py"))
    assert "probability_of_detection" in modules
    names = ", ".join(f"anogan_plugin.statistics.{name}" for name in modules if name[0] != "_")
    program = (
        f"import sys, anogan_plugin.statistics, {names}\n"
        "assert not {'torch', 'anomalib', 'lightning', 'torchmetrics'} & {*sys.modules}"
    )
    run_python("-c", program, cwd=tmp_path)
