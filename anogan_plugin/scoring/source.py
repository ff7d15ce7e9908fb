# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What a command line says of the scorer, in plain values that other processes can be sent."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomalib.models import AnomalibModule
from jsonargparse import ArgumentParser, Namespace

if TYPE_CHECKING:
    from anogan_plugin.scoring.scorer import Scorer

_ONNX = ".onnx"
_OTHER_EXPORTS = (".bin", ".pt", ".pth", ".xml")


@dataclass(frozen=True)
class ScorerSource:
    """What to score with: a checkpoint and the model that it belongs to, or an exported file.

    Args:
        weights: The checkpoint, or an ``.onnx`` file.
        model: Class of the model, as ``anomalib train --model`` takes it; empty for ``.onnx``.
        arguments: The model's, as they were in training.
    """

    weights: Path
    model: str
    arguments: dict[str, Any]

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Have a command line ask for it.

        Args:
            parser: Of the command.
        """
        parser.add_subclass_arguments(
            AnomalibModule, "model", fail_untyped=False, required=False, instantiate=False
        )
        parser.add_argument(
            "--ckpt_path",
            type=Path,
            required=True,
            help="what `anomalib train` has left, to be given with the --model arguments of the "
            "training; or an exported file, MODEL.onnx",
        )

    @classmethod
    def of(cls, options: Namespace) -> "ScorerSource":
        """Read it from a command line.

        Args:
            options: Of a parser that has been given :meth:`add_arguments`.

        Returns:
            What it says.

        Raises:
            ValueError: If it gives a model for an exported file, or none for a checkpoint, or a
                file of another export.
        """
        exported = options.ckpt_path.suffix.lower() == _ONNX
        if exported == (options.model is not None):
            raise ValueError(_wrong_pair(options.ckpt_path))
        model = {} if exported else options.model.as_dict()
        return cls(options.ckpt_path, model.get("class_path", ""), model.get("init_args", {}))

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
        # Imported here: every command of anomalib asks for the parser, and has no use for the rest.
        from anogan_plugin.comparison.classes import build, find_class
        from anogan_plugin.scoring.checkpoint import CheckpointScorer, load_weights
        from anogan_plugin.scoring.onnx import OnnxScorer

        if not self.model:
            return OnnxScorer(self.weights)
        try:
            model = build(find_class(self.model, AnomalibModule), self.arguments)
            return CheckpointScorer(load_weights(model, self.weights, device))
        except Exception as error:  # of the model's constructor, of torch, of Lightning
            reason = " ".join(str(error).split())
            raise ValueError(
                f"{self.weights} can't be loaded into {self.model}; give the checkpoint, and the "
                f"--model arguments, of one training ({type(error).__name__}: {reason[:300]})"
            ) from error

    def settings(self) -> dict[str, Any]:
        """What scores depend on, as JSON has it: a checksum of the weights, and the arguments."""
        digest = hashlib.sha256()
        with self.weights.open("rb") as file:
            for part in iter(partial(file.read, 1 << 20), b""):
                digest.update(part)
        arguments = json.loads(json.dumps(self.arguments, default=str))
        return {
            "checkpoint": digest.hexdigest(),
            "model arguments": {"class_path": self.model, "init_args": arguments},
        }


def _wrong_pair(weights: Path) -> str:
    suffix = weights.suffix.lower()
    if suffix == _ONNX:
        return f"{weights} needs no --model: it was exported with it"
    if suffix in _OTHER_EXPORTS:
        return (
            f"of exports .onnx alone is taken, found {weights}: give what `anomalib export "
            "--export_type onnx` makes; or, if this is a checkpoint, the --model of its training"
        )
    return f"{weights} is a checkpoint: give the --model of its training"
