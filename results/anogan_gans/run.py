# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Train AnoGAN several ways on one data set; the measurements behind the model's README.

Each call trains and measures one variant and adds a line to ``results.jsonl`` beside this file,
with the environment; the raw scores go to ``scores/``. Example:

    python results/anogan_gans/run.py icmold default --seed 0 --data datasets/icmold
"""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import anomalib
import pandas as pd
import torch
from anomalib.engine import Engine
from lightning import seed_everything
from sklearn.metrics import roc_auc_score

from anogan_plugin import AnoGAN, ICMold, OneClassDigits, __version__
from anogan_plugin.data.one_class_datamodule import OneClassDataModule
from anogan_plugin.models.components.training_watch import TrainingWatch
from anogan_plugin.rendering import RENDERER_VERSION

HERE = Path(__file__).parent
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "default, latent 256": {"latent_size": 256},
    "default, learning rate 1e-3": {"learning_rate": 1e-3},
    "default, no R1": {"r1_weight": 0.0},
    "default, no EMA": {"ema_decay": 0.0},
    "hinge, spectral norm, learning rate 1e-3": {
        "adversarial_loss": "hinge",
        "discriminator_norm": "spectral",
        "r1_weight": 0.0,
        "learning_rate": 1e-3,
    },
    # As the paper's, at the default's width: the two are compared at one size.
    "paper, width 32": {"preset": "paper", "width": 32},
}


def main() -> None:
    """Train and measure one variant."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    seed_everything(options.seed, verbose=False)
    model = AnoGAN(
        **{
            "search_precision": "bf16",
            "image_size": options.image_size,
            **VARIANTS[options.variant],
        },
        post_processor=False,  # no threshold: only ranks are measured here
        visualizer=False,
    )
    name = f"{options.name}_{options.variant}_{options.seed}".replace(", ", "_").replace(" ", "_")
    data = _data(options)
    engine = Engine(
        max_epochs=options.epochs,
        default_root_dir=HERE.parent / "runs" / name,
        devices=1,
        accelerator="cpu",
        precision="bf16-mixed",
    )
    engine.fit(model, datamodule=data)
    watch = next(c for c in engine.trainer.callbacks if isinstance(c, TrainingWatch))
    health = watch.health
    scores = _score(model, data, options.images)
    (HERE / "scores").mkdir(exist_ok=True)
    scores.to_csv(HERE / "scores" / f"{name}.csv", index=False, float_format="%.6g")
    row = {
        "data": options.name,
        "variant": options.variant,
        "seed": options.seed,
        "epochs": options.epochs,
        "good_residual": scores.residual[scores.label == 0].mean() / options.image_size**2,
        "best_epoch": health.best_epoch,
        "problem": health.problem,
        "diversity": float(engine.trainer.callback_metrics["diversity"]),
        "auroc_paper": roc_auc_score(scores.label, scores.paper),
        "auroc_local": roc_auc_score(scores.label, scores.local),
        "good": int((scores.label == 0).sum()),
        "anomalous": int((scores.label == 1).sum()),
        "search_steps": model.model.search.steps,
        "renderer": RENDERER_VERSION if isinstance(data, ICMold) else None,
        "anogan_plugin": __version__,
        "anomalib": anomalib.__version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    with (HERE / "results.jsonl").open("a") as results:
        results.write(json.dumps(row) + "\n")
    print(json.dumps(row, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "name", help="icmold*, chip*: ICMold; mnist*: OneClassDigits, normal digit 1"
    )
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--data", type=Path, required=True, help="root of the data module")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--images", type=int, default=250, help="test images of each label")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


def _data(options: argparse.Namespace) -> OneClassDataModule:
    if options.name.startswith("mnist"):
        return OneClassDigits(root=options.data, normal_digits=[1], image_size=32)
    if options.name.startswith("chip"):
        painted = {"paint_defects": ["short_fill"], "train_batch_size": 16}
        return ICMold(root=options.data, **painted)
    return ICMold(root=options.data)


def _score(model: AnoGAN, data: OneClassDataModule, per_label: int) -> pd.DataFrame:
    """Score the same random test images in every run; return the scores."""
    subset = data.test_subset(per_label)
    assert model.pre_processor is not None
    transform, rows = model.pre_processor.transform, []
    model.eval()
    for first in range(0, len(subset), 64):
        items = [subset[i] for i in range(first, min(first + 64, len(subset)))]
        scores = model.model.score(transform(torch.stack([item.image for item in items])))
        rows += [
            {"label": int(item.gt_label), **{k: float(v[i]) for k, v in scores.parts.items()}}
            for i, item in enumerate(items)
        ]
    paths = subset.samples.image_path.map(lambda path: "/".join(Path(path).parts[-2:]))
    return pd.DataFrame({"image": paths, **pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
