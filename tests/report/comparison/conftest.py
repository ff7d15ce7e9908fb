# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""One results folder with all its tables, for tests that only read."""

from pathlib import Path

import pytest

from anogan_plugin.report.comparison import write_tables
from tests.report.comparison.made_results import make_results, unmake


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, two data sets, three seeds; a job failed and one not run; tables written."""
    output = make_results(tmp_path_factory.mktemp("comparison") / "out")
    unmake(output)
    write_tables(output)
    return output
