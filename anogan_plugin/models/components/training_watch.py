# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Watches a training: coverage of good images, diversity, pictures; keeps the best epoch."""

from collections.abc import Sized
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from anomalib.data import ImageBatch
from anomalib.loggers.base import ImageLoggerBase
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch.utils.data import DataLoader
from torchmetrics.utilities.distributed import gather_all_tensors
from torchvision.utils import make_grid, save_image

from anogan_plugin.models.components.health import (
    TrainingDivergedError,
    TrainingHealth,
    diversity,
)

_PROBE_IMAGES = 64
_HELD_OUT_IMAGES = 512
_FEWEST = 2
_STANDARDISATION_IMAGES = 1024
_STANDARDISATION_VALUES = 2**26  # 256 MiB of pixels, where images are large
_EPOCHS_PER_PICTURE = 5


class WatchedModel(Protocol):
    """What a Lightning module offers to be watched."""

    updates: int
    remedy: str

    def images_of(self, batch: ImageBatch) -> torch.Tensor:
        """The images ``(B, C, H, W)`` of a pre-processed batch, as the networks take them."""

    def samples(self, images: torch.Tensor) -> torch.Tensor:
        """As many images as it is given: what a GAN makes of noise, or an autoencoder of them."""

    def held_out_residual(self, images: torch.Tensor) -> float:
        """Mean |x − reconstruction| per pixel of held-out good images ``(N, C, H, W)``."""

    def learn_from_good(self, images: torch.Tensor) -> None:
        """Learn what the reconstructions of good images ``(N, C, H, W)`` leave over."""

    def calibrate(self, images: torch.Tensor) -> None:
        """Set what depends on held-out good images ``(N, C, H, W)``."""

    def stage_is_over(self) -> bool:
        """Whether a stage of the training has had its epochs, and another one follows."""

    def next_stage(self) -> bool:
        """Begin the next stage of the training; False if this was the last."""


def selecting(held_out: int) -> int:
    """How many of the held-out good images choose the epoch and standardise the residual.

    They come first. The others have chosen nothing: only a threshold set on those rejects no
    larger share of good images than it promises.

    Args:
        held_out: Number of held-out good images.

    Returns:
        Half of those that are kept; all of them where there are fewer than four.

    Example:
        >>> selecting(328), selecting(5000), selecting(3)
        (164, 256, 3)
    """
    kept = min(held_out, _HELD_OUT_IMAGES)
    return kept // 2 if kept >= 2 * _FEWEST else kept


def of_all_processes(images: torch.Tensor) -> torch.Tensor:
    """The images that all processes of a training have.

    Args:
        images: Those of this process, ``(N, C, H, W)``; their number may differ.

    Returns:
        All of them in the same order everywhere; the same images where there is one process.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return images
    return torch.cat(gather_all_tensors(images.contiguous()))


class TrainingWatch(Callback):
    """Measures a model after every epoch and ends the training with its best one.

    After every validation epoch it logs ``held_out_residual`` and ``diversity``, draws a grid of
    samples (to the logger, and to ``samples/`` in the results folder), and stops a run that
    collapsed or diverged, saying so; a loss that is NaN or infinite stops it at once. When training
    ends, the weights of the epoch with the lowest held-out residual are put back and saved. What
    good images leave over is learnt from up to 1,024 of those trained on and the first half of
    those held out (:func:`selecting`), thresholds are set on the other half, which chose nothing,
    and the checkpoint is written again. A run that goes on from a checkpoint chooses among its own
    epochs. Where several processes train together they choose alike, by the images of all, and end
    with the weights of the first.

    A model that trains in stages (:meth:`WatchedModel.next_stage`) gets this for each of them: the
    next one begins with the best epoch of the one before, also where that was stopped.

    Anomalous validation images are left out: nothing here may depend on a defect. With fewer than
    two good ones nothing is measured and the last epoch stays.

    Attributes:
        health: What has been seen of the current or the last stage.
    """

    def __init__(self) -> None:
        self.health = TrainingHealth("")
        self._held_out: list[torch.Tensor] = []
        self._trained_on: list[torch.Tensor] = []
        self._seen = 0
        self._probe: torch.Tensor | None = None
        self._best: dict[str, torch.Tensor] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a new watch."""
        self.health = TrainingHealth(cast(WatchedModel, pl_module).remedy)
        self._best = {}

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ImageBatch,
        batch_idx: int,
    ) -> None:
        """Keep images of the first epoch; look for NaN and infinity in the losses.

        Raises:
            TrainingDivergedError: If there is no epoch to keep yet.
        """
        if self._probe is None:  # in the first epoch: each image once
            images = cast(WatchedModel, pl_module).images_of(batch)
            self._keep_trained_on(images, trainer.world_size)
        problem = self.health.non_finite(outputs, trainer.current_epoch)
        # All processes stop, or none: one alone would leave the others waiting for it.
        if not trainer.strategy.reduce_boolean_decision(problem is not None, all=False):
            return
        problem = problem or (
            f"training diverged at epoch {trainer.current_epoch} in another process; "
            f"{self.health.remedy}"
        )
        if not self._best:
            raise TrainingDivergedError(problem)
        self._end_stage(trainer, pl_module, problem)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ImageBatch,
        *args: Any,
    ) -> None:
        """Keep the first good images, once."""
        kept = sum(len(images) for images in self._held_out)
        if self._probe is not None or kept >= _HELD_OUT_IMAGES or trainer.sanity_checking:
            return
        images = cast(WatchedModel, pl_module).images_of(batch)
        images = images[: self._left_of_own(trainer, len(images))]
        if batch.gt_label is not None:
            images = images[~batch.gt_label[: len(images)].bool()]
        # Cloned out of inference mode: an inference tensor can't take part in autograd.
        with torch.inference_mode(mode=False):
            self._held_out.append(images[: _HELD_OUT_IMAGES - kept].clone())

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure, log, remember the best epoch, stop a lost run."""
        if trainer.sanity_checking or self._fewest_held_out(trainer) < _FEWEST:
            return
        module = cast(WatchedModel, pl_module)
        if self._probe is None:
            images = torch.cat(self._held_out)
            self._probe = images[: min(_PROBE_IMAGES, selecting(len(images)))]
        with torch.inference_mode(mode=False):
            with torch.enable_grad():
                measured = module.held_out_residual(self._probe)
            with torch.no_grad():
                samples = module.samples(self._probe)
        # Every process must choose the same epoch and stop together: they agree on the means.
        figures = torch.tensor([measured, diversity(samples, self._probe)])
        agreed = trainer.strategy.reduce(figures.to(pl_module.device), reduce_op="mean")
        residual, varies = cast(torch.Tensor, agreed).tolist()
        pl_module.log_dict({"held_out_residual": residual, "diversity": varies}, prog_bar=True)
        self._show(samples, trainer)
        if residual < self.health.best_residual:
            self._best = {name: value.clone() for name, value in pl_module.state_dict().items()}
        epoch, updates = trainer.current_epoch, module.updates
        problem = self.health.end_of_epoch(epoch, updates, residual, varies)
        if problem:
            self._end_stage(trainer, pl_module, problem)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the next stage if its time has come."""
        if cast(WatchedModel, pl_module).stage_is_over():
            self._end_stage(trainer, pl_module, None)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the best epoch back, save it, standardise, calibrate, and save that too."""
        if not self._best:
            rank_zero_warn(
                f"{type(pl_module).__name__} kept its last epoch and set no threshold, because "
                "there were fewer than two good validation images: have the data module hold some "
                "out of the training images"
            )
            return
        # Running statistics are each process's own, and every process calibrates.
        self._best = trainer.strategy.broadcast(self._best)
        self._keep_best(pl_module)
        _save_again(trainer)
        images = torch.cat(self._held_out)
        used = selecting(len(images))
        rest = images[used:] if used < len(images) else images
        module = cast(WatchedModel, pl_module)
        module.learn_from_good(of_all_processes(torch.cat([*self._trained_on, images[:used]])))
        module.calibrate(of_all_processes(rest))
        _save_again(trainer)
        self._best = {}

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Save the best epoch, without a threshold, where a training is interrupted."""
        if self._best:
            self._keep_best(pl_module)
            _save_again(trainer)
            self._best = {}

    def _fewest_held_out(self, trainer: Trainer) -> int:
        """Of all processes: they measure together or not at all."""
        kept = torch.tensor(sum(len(images) for images in self._held_out))
        device = trainer.strategy.root_device
        return int(cast(torch.Tensor, trainer.strategy.reduce(kept.to(device), reduce_op="min")))

    def _left_of_own(self, trainer: Trainer, count: int) -> int:
        """How many of the next images are this process's: samplers fill up with the first ones."""
        if trainer.world_size == 1:
            return count
        loader = cast(DataLoader, trainer.val_dataloaders)
        own = len(range(trainer.global_rank, len(cast(Sized, loader.dataset)), trainer.world_size))
        left, self._seen = max(0, own - self._seen), self._seen + count
        return min(left, count)

    def _keep_trained_on(self, images: torch.Tensor, processes: int) -> None:
        room = min(_STANDARDISATION_IMAGES, _STANDARDISATION_VALUES // images[0].numel())
        room = room // processes - sum(len(kept) for kept in self._trained_on)
        if room > 0:
            self._trained_on.append(images[:room].clone())

    def _end_stage(self, trainer: Trainer, pl_module: LightningModule, problem: str | None) -> None:
        if problem is not None and self.health.problem is None:
            rank_zero_warn(problem)
        self.health.problem = self.health.problem or problem
        if not cast(WatchedModel, pl_module).next_stage():
            trainer.should_stop = True
            return
        if self._best:
            self._keep_best(pl_module)
        self.health = TrainingHealth(cast(WatchedModel, pl_module).remedy, self.health.problem)
        self._best = {}

    def _keep_best(self, pl_module: LightningModule) -> None:
        pl_module.load_state_dict(self._best)
        rank_zero_info(
            f"Kept epoch {self.health.best_epoch}: "
            f"held-out residual {self.health.best_residual:.4f} per pixel"
        )

    @staticmethod
    def _show(samples: torch.Tensor, trainer: Trainer) -> None:
        if not trainer.is_global_zero:
            return
        epoch = trainer.current_epoch
        grid = make_grid(samples, normalize=True, value_range=(-1, 1))
        for logger in trainer.loggers:
            if isinstance(logger, ImageLoggerBase):
                picture = grid.permute(1, 2, 0).cpu().numpy()
                logger.add_image(picture, name="samples", global_step=trainer.global_step)
        if (epoch + 1) % _EPOCHS_PER_PICTURE == 0:
            folder = Path(trainer.default_root_dir) / "samples"
            folder.mkdir(parents=True, exist_ok=True)
            save_image(grid, folder / f"epoch_{epoch:04d}.png")


def _save_again(trainer: Trainer) -> None:
    """Write the module as it is now over the checkpoint that the trainer takes for the best."""
    for checkpoint in trainer.checkpoint_callbacks:
        path = getattr(checkpoint, "best_model_path", "")
        if path:
            trainer.save_checkpoint(path)
