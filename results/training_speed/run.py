# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How fast AnoGAN trains against a plain float32 loop, and whether it learns as well.

In one process, epoch by epoch in turn, on the same images: the plain loop (eager float32, Adam as
it comes, transposed convolutions) and AnoGAN's own training in Lightning's trainer. After the last
epoch a short latent search measures what each generator leaves of held-out images. Adds a line per
seed to ``results.jsonl`` beside this file. Leave the machine to it. Example:

    python results/training_speed/run.py --data datasets/icmold --seeds 0 1 2 --epochs 10
"""

import argparse
import copy
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any, cast

import torch
from anomalib.data import ImageBatch
from anomalib.pre_processing import PreProcessor
from lightning import seed_everything
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from anogan_plugin import AnoGAN, ICMold
from anogan_plugin.models.components.adversarial_loss import (
    ADVERSARIAL_LOSSES,
    discriminator_loss,
)
from anogan_plugin.models.components.dcgan_training import R1_INTERVAL
from anogan_plugin.models.components.ema import update_average
from anogan_plugin.models.components.held_out import searched_residual

HERE = Path(__file__).parent
BATCH = 64
PROBE = 64


class Plain:
    """AnoGAN's default GAN, trained the way such loops are usually written."""

    def __init__(self, model: AnoGAN) -> None:
        self.settings = model.settings
        self.discriminator = copy.deepcopy(model.model.discriminator)
        self.average = _plain_generator(model.model.generator)
        self.generator = copy.deepcopy(self.average).requires_grad_(True)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), self.settings.learning_rate, self.settings.betas)
            for network in (self.discriminator, self.generator)
        ]
        self.updates = 0

    def epoch(self, batches: DataLoader[Any]) -> None:
        """Update D, G and the moving average for every batch."""
        loss = ADVERSARIAL_LOSSES[self.settings.adversarial_loss]
        for (images,) in batches:
            fake = self.generator(torch.randn(len(images), self.settings.latent_size))
            due = self.updates % R1_INTERVAL == 0
            weight = R1_INTERVAL * self.settings.r1_weight if due else 0.0
            self.discriminator.requires_grad_(True)
            of_d, _ = discriminator_loss(self.discriminator, images, fake.detach(), loss, weight)
            self._step(0, of_d)
            self.discriminator.requires_grad_(False)
            self._step(1, loss.generator(self.discriminator(fake)))
            update_average(self.average, self.generator, self.settings.ema_decay, self.updates)
            self.updates += 1

    def _step(self, optimizer: int, loss: torch.Tensor) -> None:
        self.optimizers[optimizer].zero_grad()
        loss.backward()
        self.optimizers[optimizer].step()


def _plain_generator(generator: nn.Module) -> nn.Module:
    plain = copy.deepcopy(generator).to(memory_format=torch.contiguous_format)
    layers = cast(nn.Sequential, plain.layers)
    ours = cast(nn.ConvTranspose2d, layers[-2])
    usual = nn.ConvTranspose2d(ours.in_channels, ours.out_channels, 4, 2, 1)
    usual.load_state_dict(ours.state_dict())
    layers[-2] = usual
    return plain


class Unwatched(AnoGAN):
    """AnoGAN with nothing but its training."""

    def configure_callbacks(self) -> list[Callback]:
        """None."""
        return []


class Turns(Callback):
    """Times AnoGAN's epochs, and runs and times one of the plain loop after each."""

    def __init__(self, plain: Plain, batches: DataLoader[Any]) -> None:
        self.plain = plain
        self.batches = batches
        self.seconds: dict[str, list[float]] = {"plain": [], "ours": []}
        self.begin = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.begin = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the time, and run the plain loop."""
        middle = time.perf_counter()
        self.plain.epoch(self.batches)
        self.seconds["ours"].append(middle - self.begin)
        self.seconds["plain"].append(time.perf_counter() - middle)
        print({name: round(values[-1], 1) for name, values in self.seconds.items()}, flush=True)


def measure(data: ICMold, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train both from the same weights.

    Args:
        data: The images, prepared.
        options: The command line.
        seed: Of weights and noise.

    Returns:
        Median seconds per epoch and the held-out residual of each.
    """
    seed_everything(seed, verbose=False)
    model = Unwatched(post_processor=False, evaluator=False, visualizer=False)
    train = _tensor(model, data.train_data, options.images)
    held_out = _tensor(model, data.val_data, PROBE)
    plain = Plain(model)
    batches = DataLoader(TensorDataset(train), BATCH, shuffle=True, drop_last=True)
    turns = Turns(plain, batches)
    trainer = Trainer(
        max_epochs=options.epochs,
        accelerator="cpu",
        callbacks=[turns],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    ours = DataLoader(
        TensorDataset(train), BATCH, shuffle=True, drop_last=True, collate_fn=_as_anomalibs
    )
    trainer.fit(model, ours)
    networks = {"plain": plain.average, "ours": model.model.generator}
    size = model.settings.latent_size
    return {
        "seed": seed,
        "images": len(train),
        "epochs": options.epochs,
        "threads": options.threads,
        **{f"seconds_{name}": statistics.median(values) for name, values in turns.seconds.items()},
        **{f"residual_{k}": searched_residual(v, held_out, size) for k, v in networks.items()},
        "torch": torch.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
    }


def _as_anomalibs(items: list[tuple[torch.Tensor]]) -> ImageBatch:
    return ImageBatch(image=torch.stack([image.expand(3, -1, -1) for (image,) in items]))


def _tensor(model: AnoGAN, dataset: Any, images: int | None) -> torch.Tensor:
    count = min(images or len(dataset), len(dataset))
    stacked = torch.stack([dataset[i].image for i in range(count)])
    transform = cast(PreProcessor, model.pre_processor).transform
    assert transform is not None
    return model.model.images_of(transform(stacked)).contiguous()


def main() -> None:
    """Measure one seed after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="root of ICMold")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, help="training images; default: all")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = ICMold(root=options.data)
    data.setup()
    for seed in options.seeds:
        row = measure(data, options, seed)
        with (HERE / "results.jsonl").open("a") as results:
            results.write(json.dumps(row) + "\n")
        print(json.dumps(row, indent=2), flush=True)


if __name__ == "__main__":
    main()
