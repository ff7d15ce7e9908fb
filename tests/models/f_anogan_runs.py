# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Small trainings of f-AnoGAN that several tests share."""

from pathlib import Path
from typing import Any

import torch
from anomalib.engine import Engine
from lightning.pytorch import Callback

from anogan_plugin.data.icmold import ICMold

TINY: dict[str, Any] = {"image_size": 32, "width": 4, "latent_size": 8}

State = dict[str, torch.Tensor]


def fit(
    model: Any, root: Path, folder: Path, epochs: int, *callbacks: Callback, ckpt: Any = None
) -> Engine:
    engine = Engine(
        max_epochs=epochs,
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        callbacks=list(callbacks),
    )
    data = ICMold(root=root, image_size=32, train_batch_size=8)
    engine.fit(model, datamodule=data, ckpt_path=ckpt)
    return engine


def gan_of(module: Any) -> State:
    """G and D, weights and running statistics."""
    state = module.state_dict()
    kept = ("model.generator.", "model.discriminator.", "trained_generator.")
    return {name: value.clone() for name, value in state.items() if name.startswith(kept)}


def same(first: State, second: State) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)
