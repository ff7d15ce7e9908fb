# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tells files that are damaged from files that can't be reached."""

import lzma
import zipfile
import zlib
from typing import Any

DAMAGED = (
    FileNotFoundError,
    PermissionError,
    EOFError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a file raises that is there but can't be read, wherever it is."""


class UnreadableParquetError(ValueError):
    """A Parquet file does not say what is in it."""


class Watched:
    """A file that tells whether it could not be reached, or what was read from it is no good.

    Args:
        file: Opened to be read.

    Attributes:
        out_of_reach: Whether reading has failed.
    """

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self.out_of_reach = False
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        """Read as the file does."""
        try:
            return self._file.read(size)
        except Exception:
            self.out_of_reach = True
            raise
