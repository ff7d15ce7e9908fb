# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Names of files, which on Linux are any bytes, where only UTF-8 is taken."""


def to_bytes(name: str) -> bytes:
    """A name as the file system has it; the inverse of :func:`from_bytes`."""
    return name.encode("utf-8", "surrogateescape")


def from_bytes(name: bytes) -> str:
    """A name as Python has it: by it a file is opened."""
    return name.decode("utf-8", "surrogateescape")


def as_text(text: str) -> str:
    r"""Text that can be printed and stored: bytes that are not UTF-8 as ``\xe9``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
