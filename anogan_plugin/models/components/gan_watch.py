# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Watches a GAN train: coverage, diversity, sample grids; keeps the best epoch."""

from pathlib import Path
from typing import Any, Protocol, cast

import torch
from anomalib.data import ImageBatch
from anomalib.loggers.base import ImageLoggerBase
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch import nn
from torchvision.utils import make_grid, save_image

from anogan_plugin.models.components.health import GanHealth, diversity
from anogan_plugin.models.components.held_out import HeldOutProbe

_PROBE_IMAGES = 64
_CALIBRATION_IMAGES = 512
_SAMPLES = 64
_EPOCHS_PER_PICTURE = 5


class WatchedGan(Protocol):
    """What a Lightning module offers to be watched."""

    latent_size: int
    generator_updates: int
    health: GanHealth

    @property
    def searched_generator(self) -> nn.Module:
        """The generator whose latent space is searched."""

    def images_of(self, batch: ImageBatch) -> torch.Tensor:
        """The images ``(B, C, H, W)`` of a pre-processed batch, as the networks take them."""

    def calibrate(self, images: torch.Tensor) -> None:
        """Set what depends on held-out good images ``(N, C, H, W)``."""


class GanWatch(Callback):
    """Measures a GAN after every epoch and ends the training with the best one.

    After every validation epoch it logs ``held_out_residual`` (:class:`HeldOutProbe`) and
    ``diversity``, draws a grid of samples from fixed latent vectors (to the logger, and to
    ``samples/`` in the results folder), and stops a run that collapsed or diverged, saying so.
    When training ends, the weights of the epoch with the lowest held-out residual are put back,
    the module is calibrated on held-out good images, and the checkpoint is written again with both.

    Without validation images nothing is measured and the last epoch stays.
    """

    def __init__(self) -> None:
        self._held_out: list[torch.Tensor] = []
        self._probe: HeldOutProbe | None = None
        self._samples_from = torch.empty(0)
        self._best: dict[str, torch.Tensor] = {}

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: ImageBatch,
        *args: Any,
    ) -> None:
        """Keep the first held-out images, once."""
        kept = sum(len(images) for images in self._held_out)
        if self._probe is None and kept < _CALIBRATION_IMAGES and not trainer.sanity_checking:
            module = cast(WatchedGan, pl_module)
            images = module.images_of(batch)[: _CALIBRATION_IMAGES - kept]
            # Cloned out of inference mode: an inference tensor can't take part in autograd.
            with torch.inference_mode(mode=False):
                self._held_out.append(images.clone())

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure, log, remember the best epoch, stop a lost run."""
        if trainer.sanity_checking or not self._held_out:
            return
        module = cast(WatchedGan, pl_module)
        with torch.inference_mode(mode=False), torch.enable_grad():
            probe = self._probe or self._start(pl_module, module.latent_size)
            measured = torch.tensor(probe.measure(module.searched_generator))
            # Every process must choose the same epoch: they agree on the mean.
            residual = float(
                trainer.strategy.reduce(measured.to(pl_module.device), reduce_op="mean")
            )
            with torch.no_grad():
                samples = module.searched_generator(self._samples_from)
        varies = diversity(samples, probe.images)
        pl_module.log_dict({"held_out_residual": residual, "diversity": varies}, prog_bar=True)
        self._show(samples, trainer)
        if residual < module.health.best_residual:
            self._best = {name: value.clone() for name, value in pl_module.state_dict().items()}
        epoch, updates = trainer.current_epoch, module.generator_updates
        problem = module.health.end_of_epoch(epoch, updates, residual, varies)
        if problem:
            stop_lost_run(trainer, module.health, problem)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the best epoch back, calibrate, and write the checkpoint again."""
        module = cast(WatchedGan, pl_module)
        if not self._best:
            rank_zero_warn(
                f"{type(pl_module).__name__} kept its last epoch and set no threshold: no "
                "validation images were found; give the data module held-out good images"
            )
            return
        pl_module.load_state_dict(self._best)
        rank_zero_info(
            f"Kept epoch {module.health.best_epoch}: "
            f"held-out residual {module.health.best_residual:.4f} per pixel"
        )
        module.calibrate(torch.cat(self._held_out))
        for checkpoint in trainer.checkpoint_callbacks:
            path = getattr(checkpoint, "best_model_path", "")
            if path:
                trainer.save_checkpoint(path)

    def _start(self, pl_module: LightningModule, latent_size: int) -> HeldOutProbe:
        images = torch.cat(self._held_out)[:_PROBE_IMAGES]
        fixed = torch.Generator().manual_seed(0)
        samples_from = torch.randn(_SAMPLES, latent_size, generator=fixed)
        self._samples_from = samples_from.to(pl_module.device)
        self._probe = HeldOutProbe(images, latent_size)
        return self._probe

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


def stop_lost_run(trainer: Trainer, health: GanHealth, problem: str) -> None:
    """End the training after this epoch and say why.

    Args:
        trainer: The trainer to stop.
        health: Where the problem is kept, for whoever asks afterwards.
        problem: What is wrong and what to try.
    """
    health.problem = problem
    trainer.should_stop = True
    rank_zero_warn(problem)
