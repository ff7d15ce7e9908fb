# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a command line says of the scorer, in plain values that other processes can be sent."""

import hashlib
import inspect
import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomalib.models import AnomalibModule
from jsonargparse import ArgumentParser, Namespace

if TYPE_CHECKING:
    from anogan_plugin.scoring.scorer import Scorer

_ONNX = ".onnx"
_PARTS = {"pre_processor", "post_processor"}
"""Arguments that are objects; of another than a model makes itself a checkpoint has only state."""


@dataclass(frozen=True)
class ScorerSource:
    """What to score with: a checkpoint and the model that it is of, or an exported file.

    Args:
        weights: The checkpoint, or an ``.onnx`` file.
        model: Dotted path of the model's class; empty for ``.onnx``.
        changed: Arguments of the model that are to be others than in training.
    """

    weights: Path
    model: str
    changed: dict[str, Any]

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Have a command line ask for it.

        Args:
            parser: Of the command.
        """
        add = parser.add_argument
        add(
            "--ckpt_path",
            type=Path,
            required=True,
            help="what `anomalib train` has left: the model is built as it was in training; or an "
            "exported file, MODEL.onnx. Only weights and plain values are read from a checkpoint; "
            "one that could run code is refused",
        )
        add(
            "--model",
            type=str,
            metavar="CLASS",
            help="class of the model, for a checkpoint that does not name one, as those of "
            "anomalib's own models: --model Padim",
        )
        add(
            "--arguments",
            type=dict[str, Any],
            default={},
            help="arguments of the model that are to be others than in training, each by its name: "
            "--arguments.search fast",
        )

    @classmethod
    def of(cls, options: Namespace) -> "ScorerSource":
        """Read it from a command line, and the model's class from the checkpoint.

        Args:
            options: Of a parser that has been given :meth:`add_arguments`.

        Returns:
            What they say.

        Raises:
            ValueError: If they give a model for an exported file, the file is no checkpoint, or
                nothing says of which model it is, or it is one that is not known.
        """
        weights, model = options.ckpt_path, options.model
        changed = {name: _plain(value) for name, value in options.arguments.items()}
        if weights.suffix.lower() == _ONNX:
            if model is not None or changed:
                raise ValueError(f"{weights} needs no --model and no --arguments: it has its own")
            return cls(weights, "", {})
        # Imported here: every command of anomalib asks for the parser, and has no use for the rest.
        from anogan_plugin.comparison.classes import UnknownNameError, find_class, qualified_name
        from anogan_plugin.scoring.checkpoint import read_trained

        try:
            asked = None if model is None else find_class(model, AnomalibModule)
            named = read_trained(weights, asked).name
            if asked is None and not named:
                raise ValueError(
                    f"{weights} does not say of which model it is; checkpoints of anomalib's own "
                    "models do not, nor do older ones of this package: give its class, as --model "
                    "Padim"
                )
            if asked is not None and named not in ("", asked.__name__):
                raise ValueError(f"{weights} is of {named}, not of {model}: drop --model")
            found = asked or find_class(named, AnomalibModule)
        except UnknownNameError as error:
            raise ValueError(f"the model of {weights} {error}") from error
        return cls(weights, qualified_name(found), changed)

    @property
    def name(self) -> str:
        """What to call it."""
        return self.model.rpartition(".")[2] or self.weights.name

    def open(self, device: str) -> "Scorer":
        """Load it.

        Args:
            device: ``cpu``, or ``cuda:0`` and so on.

        Returns:
            What scores.

        Raises:
            ValueError: If it can't be loaded.
        """
        from anogan_plugin.scoring.onnx import OnnxScorer

        return self._checkpoint_scorer(device) if self.model else OnnxScorer(self.weights)

    def _checkpoint_scorer(self, device: str) -> "Scorer":
        from anogan_plugin.models.components.image_scoring import ImageScoring
        from anogan_plugin.scoring.checkpoint import CheckpointScorer, load_weights

        model, trained = self._untrained()
        try:
            load_weights(model, self.weights, device)
        except Exception as error:  # of torch, of Lightning
            raise ValueError(
                f"{self.weights} can't be loaded into {self.name}; give the class of its training "
                "as --model, its post_processor if that was another, as "
                "--arguments.post_processor.class_path, and no --arguments that change its "
                f"networks ({_reason(error)})"
            ) from error
        scorer = CheckpointScorer(model)
        # Of a post-processor a checkpoint keeps no argument to compare with.
        asked = {k: value for k, value in self.changed.items() if k != "post_processor"}
        others = {name: value for name, value in asked.items() if trained.get(name) != value}
        if others and scorer.judges and not isinstance(model, ImageScoring):
            warnings.warn(
                f"images are accepted or rejected by the threshold in {self.weights}, which is for "
                f"the arguments of its training, not for {others}: if scores are others with "
                "them, judge by scores of held-out good images",
                stacklevel=2,
            )
        return scorer

    def _untrained(self) -> tuple[AnomalibModule, dict[str, Any]]:
        """The model, built as for its training but for what is to be changed; what it was then."""
        from anogan_plugin.comparison.classes import (
            UnfitArgumentError,
            UnknownNameError,
            build,
            check_argument,
            find_class,
        )
        from anogan_plugin.scoring.checkpoint import read_trained

        cls = find_class(self.model, AnomalibModule)
        for name, value in self.changed.items():
            dotted = isinstance(value, dict) and any("." in key for key in value)
            if name in _PARTS and (dotted or not isinstance(value, dict)):
                raise ValueError(
                    f"--arguments.{name} is {value}, expected the class of the one in training, as "
                    f"--arguments.{name}.class_path CLASS: drop it, unless that was another than "
                    "the model makes; one with arguments goes as JSON, --arguments "
                    f'\'{{"{name}": {{"class_path": ..., "init_args": ...}}}}\''
                )
            try:
                check_argument(cls, name)
            except UnknownNameError as error:
                raise ValueError(f"--arguments.{name} {error}") from error
        # Lightning notes the arguments of classes that this one derives from, too.
        own = inspect.signature(cls).parameters.keys() - self.changed.keys()
        trained = read_trained(self.weights, cls).arguments
        kept = {name: trained[name] for name in own & trained.keys()}
        try:
            return build(cls, self.changed, **kept), trained
        except Exception as error:  # of the parser, of the model's constructor
            if isinstance(error, UnfitArgumentError) and error.name in self.changed:
                raise ValueError(f"--arguments.{error.name} {error}") from error
            doubt = (
                " and --arguments" if self.changed else ": is --model the class of its training?"
            )
            raise ValueError(
                f"{self.name} can't be built with the arguments in {self.weights}{doubt} "
                f"({_reason(error)})"
            ) from error

    def settings(self) -> dict[str, Any]:
        """What scores depend on, by the names that an error calls it, as JSON has it."""
        digest = hashlib.sha256()
        with self.weights.open("rb") as file:
            for part in iter(partial(file.read, 1 << 20), b""):
                digest.update(part)
        return {
            "checkpoint": digest.hexdigest(),
            "--model": self.name if self.model else "",
            "--arguments": json.loads(json.dumps(self.changed, default=str)),
        }


def _plain(value: Any) -> Any:
    """A value as YAML has it: the parser makes another kind of mapping of nested options."""
    return value.as_dict() if isinstance(value, Namespace) else value


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
