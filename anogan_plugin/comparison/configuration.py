# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What to compare: a YAML file, checked before anything trains.

::

    seeds: [0, 1, 2]
    trainer: {max_epochs: 40}              # for all models
    data:
      - class_path: ICMold
        init_args: {root: datasets/icmold}
    models:
      - class_path: AnoGAN
        init_args: {width: 32}
        trainer: {max_epochs: 60}          # for this one
        scorings:                          # trained once, scored in two ways
          AnoGAN, fast: {search: fast}
          AnoGAN, 500 steps: {search: paper}
      - class_path: Patchcore
        init_args: {backbone: efficientnet_lite0_offline, layers: [blocks.2, blocks.4]}
        image_size: 128                    # of a model that anomalib's pre-processor resizes for
"""

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from anomalib.data import AnomalibDataModule
from anomalib.models import AnomalibModule
from lightning.pytorch import Trainer
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from anogan_plugin.comparison.classes import (
    UnfitArgumentError,
    build,
    check_argument,
    find_class,
    qualified_name,
    resolve,
    unknown,
)
from anogan_plugin.comparison.job import Job, ModelPlan
from anogan_plugin.comparison.job_folder import JobFolder
from anogan_plugin.comparison.yaml_lines import ConfigurationError, KeyPath, LinedYaml

_TOP = ("seeds", "data", "models", "trainer", "output", "overkill", "scores", "description")
_DATA = ("class_path", "init_args", "name")
_MODEL = ("class_path", "init_args", "name", "trainer", "image_size", "scorings", "data")
_OURS = {"default_root_dir", "logger", "callbacks", "devices", "accelerator", "strategy"}
_TRAINER = {*inspect.signature(Trainer.__init__).parameters} - {"self", *_OURS}


@dataclass(frozen=True)
class Comparison:
    """A checked configuration.

    Args:
        jobs: What to run, seed by seed, so that a comparison that is cut short has a table.
        output: Folder of its results.
        overkill: Share of good images that a threshold may reject, in (0, 1).
        scores: Columns of the table of scores that become rows of the summary.
        description: What is compared, for captions.
        file: Name of the file that it was read from.
        text: What is in that.
    """

    jobs: tuple[Job, ...]
    output: Path
    overkill: float
    scores: tuple[str, ...]
    description: str
    file: str
    text: str

    def jobs_of(self, names: list[str]) -> tuple[Job, ...]:
        """Choose the jobs of some models.

        Args:
            names: Names of models or of their classes, in any case.

        Returns:
            Those jobs.

        Raises:
            ConfigurationError: If a name is none of them.
        """
        known = {name for job in self.jobs for name in job.model.names}
        wanted = {name.lower() for name in names}
        for name in names:
            if name.lower() not in {other.lower() for other in known}:
                raise ConfigurationError(f"--only {unknown('model', name, known)}")
        return tuple(
            job for job in self.jobs if wanted & {name.lower() for name in job.model.names}
        )

    def manifest(self) -> dict[str, Any]:
        """What the tables need to know, as ``comparison.json`` has it.

        Returns:
            Plain data.
        """
        return {
            "description": self.description,
            "overkill": self.overkill,
            "scores": list(self.scores),
            "file": self.file,
            "configuration": self.text,
            "jobs": [
                {
                    "model": job.model.name,
                    "class_name": job.model.class_name,
                    "data": job.data,
                    "seed": job.seed,
                    "folder": JobFolder(self.output, job).path.name,
                    "settings": job.settings,
                }
                for job in self.jobs
            ],
        }


def read_comparison(path: Path, output: Path | None = None) -> Comparison:
    """Read and check a configuration.

    Args:
        path: YAML file.
        output: Folder of the results; by default what the file says, or ``results/NAME`` of it.

    Returns:
        What to run.

    Raises:
        ConfigurationError: If something in it can't be; nothing has been trained or written.
    """
    return _Reader(LinedYaml.read(path)).comparison(output)


@dataclass
class _Reader:
    file: LinedYaml
    _names: dict[str, KeyPath] = field(default_factory=dict)

    def comparison(self, output: Path | None) -> Comparison:
        values = self._mapping((), self.file.values, _TOP, required=("seeds", "data", "models"))
        folder = output or Path(self._value(("output",), str, f"results/{self.file.path.stem}"))
        data = list(self._data())
        models = list(self._models([name for name, *_ in data]))
        overkill = self._value(("overkill",), float, 0.01)
        if not 0 < overkill < 1:
            raise self.file.error(("overkill",), f"is {overkill}, expected a number in (0, 1)")
        seeds = self._list(("seeds",), int)
        if min(seeds) < 0:
            raise self.file.error(("seeds",), f"has {min(seeds)}, expected 0 or more")
        scores = tuple(self._list(("scores",), str)) if "scores" in values else ("score",)
        jobs = tuple(
            Job(model, name, data_class, data_arguments, seed)
            for seed in seeds
            for name, data_class, data_arguments in data
            for model, on in models
            if not on or name in on
        )
        self._check_distinct(jobs)
        description = self._value(("description",), str, "")
        path = self.file.path
        text = path.read_text(encoding="utf-8")
        return Comparison(jobs, folder, overkill, scores, description, path.name, text)

    def _check_distinct(self, jobs: tuple[Job, ...]) -> None:
        by_key: dict[str, Job] = {}
        for job in jobs:
            other = by_key.setdefault(job.key, job)
            if other is not job:
                key = self._names[f"models: {job.model.name}"]
                raise self.file.error(key, f"({job}) is the same as {other}: drop one")

    def _data(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for index, entry in enumerate(self._list(("data",), dict)):
            key: KeyPath = ("data", index)
            self._mapping(key, entry, _DATA, required=("class_path",))
            cls, arguments = self._class(key, entry, AnomalibDataModule)
            with_defaults = self._resolved((*key, "init_args"), cls, arguments)
            if with_defaults.get("seed", 0) is None:
                with_defaults["seed"] = 0  # anomalib would draw the split anew in every process
            self._try((*key, "init_args"), partial(build, cls, with_defaults))
            yield self._named(key, entry, cls), qualified_name(cls), with_defaults

    def _models(self, data: list[str]) -> Iterator[tuple[ModelPlan, list[str]]]:
        shared = self._trainer((), self.file.values)
        for index, entry in enumerate(self._list(("models",), dict)):
            key: KeyPath = ("models", index)
            self._mapping(key, entry, _MODEL, required=("class_path",))
            cls, arguments = self._class(key, entry, AnomalibModule)
            on = self._list((*key, "data"), str) if "data" in entry else []
            for place, name in enumerate(on):
                if name not in data:
                    raise self.file.error((*key, "data", place), str(unknown("data", name, data)))
            trainer = {**shared, **self._trainer(key, entry)}
            size = self._value((*key, "image_size"), int, None)
            if size is not None and size < 1:
                raise self.file.error((*key, "image_size"), f"is {size}, expected 1 or more")
            trained_with = self._resolved((*key, "init_args"), cls, arguments)
            if size is not None and "image_size" in trained_with:
                raise self.file.error(
                    (*key, "image_size"),
                    f"is not for {cls.__name__}: give init_args: {{image_size: {size}}}",
                )
            for name, scoring in self._scorings(key, entry, cls):
                where = (*key, "scorings", name) if scoring else (*key, "init_args")
                resolved = self._resolved(where, cls, {**arguments, **scoring})
                yield (
                    ModelPlan(
                        name=name,
                        class_path=qualified_name(cls),
                        trained_with=trained_with,
                        init_args=resolved,
                        trainer=trainer,
                        image_size=size,
                    ),
                    on,
                )

    def _scorings(
        self, key: KeyPath, entry: dict[str, Any], cls: type
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        if "scorings" not in entry:
            yield self._named(key, entry, cls), {}
            return
        if "name" in entry:
            raise self.file.error((*key, "name"), "is of no use beside scorings: they have names")
        here = (*key, "scorings")
        scorings = self._mapping(here, entry["scorings"])
        for name, arguments in scorings.items():
            self._take_name((*here, name), name)
            yield name, self._mapping((*here, name), arguments)

    def _class(
        self, key: KeyPath, entry: dict[str, Any], base: type
    ) -> tuple[type, dict[str, Any]]:
        path = self._value((*key, "class_path"), str)
        if not path:
            raise self.file.error((*key, "class_path"), "is empty, expected the name of a class")
        cls = self._try((*key, "class_path"), partial(find_class, path, base))
        return cls, self._mapping((*key, "init_args"), entry.get("init_args") or {})

    def _resolved(self, key: KeyPath, cls: type, arguments: dict[str, Any]) -> dict[str, Any]:
        for name in arguments:
            self._try((*key, name), partial(check_argument, cls, name))
        try:
            return resolve(cls, arguments)
        except UnfitArgumentError as error:
            raise self.file.error((*key, error.name), str(error)) from error

    def _trainer(self, key: KeyPath, entry: dict[str, Any]) -> dict[str, Any]:
        here = (*key, "trainer")
        arguments = self._mapping(here, entry.get("trainer") or {})
        for name in arguments:
            if name in _OURS:
                raise self.file.error((*here, name), "is set by the comparison itself: drop it")
            if name not in _TRAINER:
                raise self.file.error((*here, name), str(unknown("argument", name, _TRAINER)))
        with _no_information():
            self._try(here, partial(Trainer, **arguments, accelerator="cpu", logger=False))
        return arguments

    def _named(self, key: KeyPath, entry: dict[str, Any], cls: type) -> str:
        name = self._value((*key, "name"), str, cls.__name__)
        self._take_name((*key, "name") if "name" in entry else key, name)
        return name

    def _take_name(self, key: KeyPath, name: str) -> None:
        kind = f"{key[0]}: {name}"
        if kind in self._names:
            line = self.file.lines.get(self._names[kind])
            raise self.file.error(
                key, f"is called {name!r}, as another is (line {line}): give one a name of its own"
            )
        self._names[kind] = key

    def _mapping(
        self,
        key: KeyPath,
        found: Any,
        valid: tuple[str, ...] = (),
        required: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise self.file.error(key, f"is {found!r}, expected keys with values")
        for name in found:
            if not isinstance(name, str):
                raise self.file.error((*key, name), f"is {name!r}, expected text: put it in quotes")
            if valid and name not in valid:
                raise self.file.error((*key, name), str(unknown("key", name, valid)))
        for name in required:
            if name not in found:
                raise self.file.error((*key, name), "is missing")
        return found

    def _list(self, key: KeyPath, kind: type) -> list[Any]:
        found = self._at(key)
        if not isinstance(found, list) or not found:
            raise self.file.error(key, f"is {found!r}, expected a list that is not empty")
        for index, item in enumerate(found):
            if not isinstance(item, kind) or isinstance(item, bool):
                what = {int: "a whole number", str: "text", dict: "keys with values"}[kind]
                raise self.file.error((*key, index), f"is {item!r}, expected {what}")
            if item in found[:index] and kind is not dict:
                raise self.file.error((*key, index), f"is {item!r}, which is there twice")
        return found

    def _value(self, key: KeyPath, kind: type, default: Any = None) -> Any:
        found = self._at(key)
        if found is None:
            return default
        if kind is float and isinstance(found, int):
            found = float(found)
        if not isinstance(found, kind) or isinstance(found, bool):
            what = {int: "a whole number", float: "a number", str: "text"}[kind]
            raise self.file.error(key, f"is {found!r}, expected {what}")
        return found

    def _at(self, key: KeyPath) -> Any:
        found = self.file.values
        for part in key:
            found = found.get(part) if isinstance(found, dict) else found[part]
        return found

    def _try(self, key: KeyPath, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except (ValueError, TypeError, MisconfigurationException) as error:
            raise self.file.error(key, str(error)) from error


@contextlib.contextmanager
def _no_information() -> Iterator[None]:
    """Keep Lightning from saying for each trainer which devices there are."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
