# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Trains a model in N processes and leaves what each of them ends with: N MODEL DATA OUTPUT."""

import sys
from pathlib import Path
from typing import Any

import torch
from anomalib.engine import Engine
from anomalib.models import get_model
from lightning import seed_everything

from anogan_plugin import ICMold
from tests.models.test_registered_models import TINY


def main() -> None:
    """Train, and save state, threshold and metrics as this process has them."""
    processes, name, data, output = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(1)
    seed_everything(0)
    module = ICMold(
        root=data, image_size=32, train_batch_size=8 // processes, held_out_ratio=0.5, num_workers=0
    )
    together: dict[str, Any] = (
        {"strategy": "ddp_find_unused_parameters_true"} if processes > 1 else {}
    )
    engine = Engine(
        max_epochs=3, accelerator="cpu", devices=processes, default_root_dir=output, **together
    )
    model: Any = get_model(name, **TINY[name])
    engine.fit(model, datamodule=module)
    left = {
        "weights": model.state_dict(),
        "measured": {key: float(x) for key, x in engine.trainer.callback_metrics.items()},
        "threshold": float(model.post_processor.image_threshold),
    }
    torch.save(left, Path(output) / f"of_process_{model.global_rank}.pt")


if __name__ == "__main__":
    main()
