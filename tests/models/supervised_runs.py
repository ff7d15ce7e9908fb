# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Short runs of the classifier that needs labelled defects."""

from pathlib import Path
from typing import Any

from anomalib.engine import Engine
from lightning.pytorch import Callback

from anogan_plugin.data.icmold import ICMold

TINY: dict[str, Any] = {"image_size": 32, "width": 4}


def engine_in(folder: Path, epochs: int = 1, *callbacks: Callback) -> Engine:
    return Engine(
        max_epochs=epochs,
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        callbacks=list(callbacks),
    )


def data(root: Path, labelled_defects: int = 2, **arguments: Any) -> ICMold:
    return ICMold(root=root, train_batch_size=8, labelled_defects=labelled_defects, **arguments)
