# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What every model that trains networks does alike inside Lightning."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn

from anogan_plugin.latent_search.precision import PRECISIONS, dtype_of
from anogan_plugin.models.components.ema import update_average
from anogan_plugin.models.components.training_watch import TrainingWatch


def check_one_process(name: str, trainer: Trainer) -> None:
    """Refuse to train a model in several processes that needs all its images in one.

    Args:
        name: Of the model.
        trainer: That will train it.

    Raises:
        ValueError: If there are several.
    """
    if trainer.world_size > 1:
        msg = (
            f"{name} trains in one process, found {trainer.world_size}: give --trainer.devices 1 "
            "and --trainer.num_nodes 1"
        )
        raise ValueError(msg)


class NetworkTraining:
    """Updates networks one after the other, in bfloat16 where that is fast, and is watched.

    To stand between :class:`ImageScoring` and ``AnomalibModule`` among a model's bases. A model
    calls :meth:`set_up_training` when it is built; its ``training_step`` calls :meth:`descend` once
    per network that it updates and :meth:`end_update` at its end, and returns its losses by name.

    Attributes:
        updates: Training steps made so far, in the current stage where there are several.
        remedy: What to try when a training is lost, for the messages.
    """

    updates = 0
    remedy = "try another seed, a lower learning_rate or more training images"

    if TYPE_CHECKING:
        log_dict: Any
        manual_backward: Any
        optimizers: Any

    def set_up_training(self, precision: str, ema_decay: float = 0.0) -> None:
        """Check and keep how to train.

        Args:
            precision: ``"auto"`` for bfloat16 where the machine has instructions for it,
                ``"bf16"``, or ``"fp32"`` for whatever the trainer's precision is.
            ema_decay: Decay of :meth:`moving_averages`.

        Raises:
            ValueError: If there is no such precision.
        """
        if precision not in PRECISIONS:
            msg = f"training_precision must be one of {PRECISIONS}, got {precision!r}"
            raise ValueError(msg)
        self.training_precision = precision
        self.ema_decay = ema_decay
        self.automatic_optimization = False

    def moving_averages(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Networks that are moving averages of others.

        Yields:
            The average, and the network in training.
        """
        yield from ()

    def autocast(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        """The precision that networks compute in while they train; weights are float32.

        Args:
            device: Where they compute.

        Returns:
            The context for a forward pass.
        """
        dtype = dtype_of(self.training_precision, device)
        if dtype == torch.float32:  # the trainer's own precision may be another: leave it
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype)

    def descend(self, optimizer: int, loss: torch.Tensor) -> torch.Tensor:
        """Take one step of one optimizer.

        Args:
            optimizer: Its position in what ``configure_optimizers`` returns.
            loss: Scalar to differentiate.

        Returns:
            The loss, detached.
        """
        found = self.optimizers()  # Lightning returns a single one bare
        optimizers: list[LightningOptimizer] = found if isinstance(found, list) else [found]
        optimizers[optimizer].zero_grad()
        self.manual_backward(loss)
        optimizers[optimizer].step()
        return loss.detach()

    def end_update(
        self, losses: dict[str, torch.Tensor], batch_size: int
    ) -> dict[str, torch.Tensor]:
        """Move the moving averages, count, and log the losses.

        Args:
            losses: Scalars by name.
            batch_size: Number of images.

        Returns:
            The losses.
        """
        for average, network in self.moving_averages():
            update_average(average, network, self.ema_decay, self.updates)
        self.updates += 1
        self.log_dict(losses, on_step=False, on_epoch=True, prog_bar=True, batch_size=batch_size)
        return losses

    def stage_is_over(self) -> bool:
        """Whether a stage of the training has had its epochs, and another one follows.

        Returns:
            False for a model that trains in one go.
        """
        return False

    def next_stage(self) -> bool:
        """Begin the next stage of the training, where a model trains in stages.

        Returns:
            Whether there was another.
        """
        return False

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save how far the training is.

        Args:
            checkpoint: What will be written.
        """
        super().on_save_checkpoint(checkpoint)  # type: ignore[misc]
        checkpoint["updates"] = self.updates

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it.

        Args:
            checkpoint: What was read.
        """
        super().on_load_checkpoint(checkpoint)  # type: ignore[misc]
        self.updates = checkpoint["updates"]

    def configure_callbacks(self) -> Sequence[Callback]:
        """The model's other callbacks, and one that watches the training.

        Returns:
            The callbacks.
        """
        return [*super().configure_callbacks(), TrainingWatch()]  # type: ignore[misc]

    @property
    def trainer_arguments(self) -> dict[str, Any]:
        """Trainer arguments that manual optimization needs; the number of epochs is the user's.

        Returns:
            Arguments for Lightning's trainer.
        """
        return {"gradient_clip_val": 0, "num_sanity_val_steps": 0}
