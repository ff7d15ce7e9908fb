# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Classes of models and data modules by name, and their arguments checked before they are used."""

import argparse
import difflib
import importlib
import inspect
import json
from collections.abc import Iterable
from typing import Any

from jsonargparse import ArgumentParser, Namespace

_GROUP = "arguments"


class UnknownNameError(ValueError):
    """A name that is not one of the valid ones; the message lists them."""


class UnfitArgumentError(ValueError):
    """An argument of the wrong type or value.

    Args:
        name: Its name.
        message: What it should be.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def unknown(kind: str, name: object, valid: Iterable[str]) -> UnknownNameError:
    """Make the error for a wrong name, with what was probably meant.

    Args:
        kind: What it is a name of.
        name: What was found.
        valid: The valid names.

    Returns:
        The error, to raise.

    Example:
        >>> str(unknown("key", "sead", ["seeds", "data"]))
        "is an unknown key 'sead', did you mean 'seeds'? Valid: data, seeds"
    """
    valid = sorted(valid)
    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f", did you mean {near[0]!r}?" if near else "."
    return UnknownNameError(f"is an unknown {kind} {name!r}{hint} Valid: {', '.join(valid)}")


def find_class(name: str, base: type) -> type:
    """Find a class as ``anomalib train --model NAME`` does.

    Args:
        name: Name of a class that is imported, in any case, or its dotted path.
        base: What it must derive from.

    Returns:
        The class.

    Raises:
        UnknownNameError: If there is none.
    """
    if "." in name:
        module, _, attribute = name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # whatever the module does when it is imported
            raise UnknownNameError(f"is {name}, which can't be imported: {error}") from error
        if not (inspect.isclass(found) and issubclass(found, base)):
            raise UnknownNameError(f"is {name}, which is not an {base.__name__}")
        return found
    classes = {cls.__name__: cls for cls in _concrete_subclasses(base)}
    for known, cls in classes.items():
        if known.lower() == name.lower():
            return cls
    raise unknown("class", name, classes)


def _concrete_subclasses(base: type) -> Iterable[type]:
    cls: type
    for cls in base.__subclasses__():
        if not inspect.isabstract(cls):
            yield cls
        yield from _concrete_subclasses(cls)


def check_argument(cls: type, name: str) -> None:
    """Check that a class has an argument of a name.

    Args:
        cls: The class.
        name: The argument's name.

    Raises:
        UnknownNameError: If it has none.
    """
    prefix = f"{_GROUP}."
    names = {
        action.dest.removeprefix(prefix)
        for action in _parser(cls)._actions
        if action.dest.startswith(prefix) and not action.dest.endswith(".help")
    }
    if name not in names:
        raise unknown(f"argument of {cls.__name__},", name, names)


def resolve(cls: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the arguments of a class without building it.

    Args:
        cls: The class.
        arguments: By name, as YAML has them.

    Returns:
        All arguments, with defaults, as plain values.

    Raises:
        UnfitArgumentError: If one is of the wrong type.
    """
    parser = _parser(cls)
    parsed = _parse(parser, cls, arguments)
    return json.loads(parser.dump(parsed, format="json", skip_none=False)).get(_GROUP, {})


def build(cls: type, arguments: dict[str, Any], **objects: Any) -> Any:
    """Build an object from checked arguments.

    Args:
        cls: Its class.
        arguments: By name, as YAML has them.
        objects: Arguments that are taken as they are; they come before those of YAML.

    Returns:
        The object.
    """
    parser = _parser(cls, skip=set(objects) - set(arguments))
    built = parser.instantiate_classes(_parse(parser, cls, arguments))
    return cls(**{**vars(built.get(_GROUP, Namespace())), **objects})


def _parser(cls: type, skip: Iterable[str] = ()) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, _GROUP, skip=set(skip), fail_untyped=False, instantiate=False)
    return parser


def _parse(parser: ArgumentParser, cls: type, arguments: dict[str, Any]) -> Any:
    try:
        return parser.parse_object({_GROUP: arguments})
    except argparse.ArgumentError as error:
        # Its first line names the argument, the others what was expected and found.
        head, _, rest = str(error).partition("\n")
        name = head.removeprefix(f'Parser key "{_GROUP}.').partition('"')[0].partition(".")[0]
        reason = " ".join(rest.split()) or head
        raise UnfitArgumentError(name, f"does not fit {cls.__name__}: {reason}") from error


def qualified_name(cls: type) -> str:
    """The dotted path of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"
