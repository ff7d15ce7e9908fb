# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Named settings, of which a user replaces some."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

_Settings = TypeVar("_Settings")


def with_overrides(
    kind: str, presets: Mapping[str, _Settings], name: str, overrides: Mapping[str, Any]
) -> _Settings:
    """Take named settings and replace what the user gave.

    Args:
        kind: The argument that names them, for the error.
        presets: Dataclass instances by name.
        name: Which one.
        overrides: Fields and their values; None keeps the named one's.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such name, or the dataclass refuses a value.
    """
    if name not in presets:
        msg = f"{kind} must be one of {tuple(presets)}, got {name!r}"
        raise ValueError(msg)
    given = {field: value for field, value in overrides.items() if value is not None}
    return dataclasses.replace(presets[name], **given)  # type: ignore[type-var]
