# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""YAML that knows on which line each key stands, so that an error can say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]


class ConfigurationError(ValueError):
    """A configuration that cannot be run; its message names file, line, key and what is valid."""


@dataclass(frozen=True)
class LinedYaml:
    """A YAML file.

    Args:
        path: The file, for messages.
        values: What is in it.
        lines: Line, from 1, of each key and list item.
    """

    path: Path
    values: Any
    lines: dict[KeyPath, int]

    @classmethod
    def read(cls, path: Path) -> "LinedYaml":
        """Read a file.

        Args:
            path: The file.

        Returns:
            Its values and lines.

        Raises:
            ConfigurationError: If there is no such file, it is not YAML, or has a key twice.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            msg = f"{path}: {error.strerror or error}; give --config a YAML file that can be read"
            raise ConfigurationError(msg) from error
        try:
            root = yaml.compose(text, yaml.SafeLoader)
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path} is not valid YAML: {error}") from error
        file = cls(path, values, {})
        if root is not None:
            file._note_lines(root, ())
        return file

    def error(self, key: KeyPath, message: str) -> ConfigurationError:
        """Make an error about a key.

        Args:
            key: Where; of a key that is not there, the line of what it would be in is given.
            message: What was expected and found, and what to do.

        Returns:
            The error, to raise.
        """
        known = key
        while known and known not in self.lines:
            known = known[:-1]
        where = f"{self.path}, line {self.lines.get(known, 1)}"
        return ConfigurationError(f"{where}: {dotted(key) or 'the file'} {message}")

    def _note_lines(self, node: yaml.Node, key: KeyPath) -> None:
        for name, line, child in _children(node):
            here = (*key, name)
            if here in self.lines:
                raise self.error(here, f"is there twice, again on line {line}: drop one")
            self.lines[here] = line
            self._note_lines(child, here)


def _children(node: yaml.Node) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield index, value.start_mark.line + 1, value


def dotted(key: KeyPath) -> str:
    """Write a key as in ``models[0].init_args.width``.

    >>> dotted(("models", 0, "init_args", "width"))
    'models[0].init_args.width'
    """
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
