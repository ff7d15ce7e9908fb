# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A job: one model, scored in one way, on one data set, with one seed."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

_KEY_LENGTH = 10


@dataclass(frozen=True)
class ModelPlan:
    """A model of a comparison; everything in it is plain data.

    Args:
        name: What it is called in tables.
        class_path: Dotted path of its class.
        trained_with: All its arguments in training.
        init_args: All its arguments in scoring.
        trainer: Arguments of Lightning's trainer.
        image_size: Side in pixels to which the pre-processor of anomalib resizes; None leaves the
            model's own.
    """

    name: str
    class_path: str
    trained_with: dict[str, Any]
    init_args: dict[str, Any]
    trainer: dict[str, Any]
    image_size: int | None

    @property
    def class_name(self) -> str:
        """Name of its class without the module."""
        return self.class_path.rpartition(".")[2]

    @property
    def names(self) -> set[str]:
        """What it can be asked for by."""
        return {self.name, self.class_name}


@dataclass(frozen=True)
class Job:
    """A model on a data set with a seed.

    Args:
        model: The model.
        data: What the data set is called in tables.
        data_class: Dotted path of the data module's class.
        data_args: All its arguments.
        seed: Seed of the weights and of whatever training draws.
    """

    model: ModelPlan
    data: str
    data_class: str
    data_args: dict[str, Any]
    seed: int

    def __str__(self) -> str:
        return f"{self.model.name} on {self.data}, seed {self.seed}"

    @property
    def key(self) -> str:
        """What the result depends on, as a short hash; names of tables have no part in it."""
        return _hash([*self._training(), self.model.init_args])

    @property
    def training_key(self) -> str:
        """The same for the trained weights, which jobs that only score differently share."""
        return _hash(self._training())

    @property
    def folder_name(self) -> str:
        """Name of its folder: readable, and unique by its key."""
        return f"{slug(self.model.name)}-{slug(self.data)}-seed{self.seed}-{self.key}"

    def for_training(self) -> "Job":
        """The job with the model's arguments as they are in training."""
        return replace(self, model=replace(self.model, init_args=self.model.trained_with))

    @property
    def settings(self) -> dict[str, Any]:
        """Everything about it, as ``config.yaml`` has it."""
        return asdict(self)

    def _training(self) -> list[Any]:
        model = self.model
        return [
            model.class_path,
            model.trained_with,
            model.trainer,
            model.image_size,
            self.data_class,
            self.data_args,
            self.seed,
        ]


def _hash(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def slug(name: str) -> str:
    """Make a name of letters, digits and hyphens, for a file.

    >>> slug("AnoGAN, 500 steps")
    'AnoGAN-500-steps'
    """
    return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-") or "unnamed"
