# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What each part of AnoGAN's preset inspection gives, on one trained GAN.

Scores the same random test images in several ways and adds a line for each to ``results.jsonl``
beside this file. What good images leave over is learnt as in a training: from images trained on and
the first half of those held out. Example:

    python results/inspection/run.py icmold path/to/model.ckpt --data datasets/icmold --seed 0
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import torch
from anomalib.pre_processing import PreProcessor
from sklearn.metrics import roc_auc_score
from torch.utils.data import Subset

from anogan_plugin import AnoGAN, ICMold, OneClassDigits, __version__
from anogan_plugin.data.image_dataset import ImageFileDataset
from anogan_plugin.latent_search import LatentSearch, SearchResult, search_settings
from anogan_plugin.models.components import standardised_residual
from anogan_plugin.models.components.image_scores import largest_local_mean, residual_map
from anogan_plugin.models.components.latent_distance import LatentDistance
from anogan_plugin.models.components.standardised_residual import StandardisedResidual
from anogan_plugin.models.components.training_watch import selecting

HERE = Path(__file__).parent
MAP_STEPS = (0, 5, 10, 15, 20)
Score = Callable[["Found", "Found"], torch.Tensor]


class Found(NamedTuple):
    """Images and what the search made of them."""

    images: torch.Tensor
    result: SearchResult

    @property
    def residual(self) -> torch.Tensor:
        """x − x̂, ``(N, C, H, W)``."""
        return self.images - self.result.reconstruction


def main() -> None:
    """Score in every way and write the AUROCs."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    model = cast(AnoGAN, AnoGAN.load_from_checkpoint(options.checkpoint, map_location="cpu").eval())
    good, test, labels = _images(model, options)
    for steps in MAP_STEPS:
        search = LatentSearch(
            model.model.generator.as_chain(),
            model.model.discriminator.features,
            model.settings.latent_size,
            search_settings("refined", map_steps=steps, precision="auto"),
        )
        found, of_good = Found(test, search(test)), Found(good, search(good))
        for name, score in (SCORES if steps in (0, 15) else STANDARDISED).items():
            row = {
                "data": options.name,
                "seed": options.seed,
                "map_steps": steps,
                "score": name,
                "auroc": roc_auc_score(labels, score(of_good, found)),
                "good_residual": float(found.residual[labels == 0].abs().mean()),
                "test_images": len(labels),
                "good_images": len(good),
                "anogan_plugin": __version__,
            }
            with (HERE / "results.jsonl").open("a") as results:
                results.write(json.dumps(row) + "\n")
            print(f"{steps:3d} {name}: {row['auroc']:.3f}")


def _standardised(good: Found, test: Found) -> torch.Tensor:
    standardised = StandardisedResidual(test.images.shape[-1], test.images.shape[1])
    standardised.fit(good.residual)
    return standardised(test.residual).amax((1, 2))


def _without_directions(good: Found, test: Found) -> torch.Tensor:
    most, standardised_residual._MOST_DIRECTIONS = standardised_residual._MOST_DIRECTIONS, 0
    try:
        return _standardised(good, test)
    finally:
        standardised_residual._MOST_DIRECTIONS = most


def _latent_distance(good: Found, test: Found) -> torch.Tensor:
    distance = LatentDistance(good.result.latent.shape[1])
    distance.fit(good.result.latent)
    return distance(test.result.latent)


STANDARDISED: dict[str, Score] = {"standardised": _standardised}
SCORES: dict[str, Score] = {
    "sum |x − G(z)|": lambda good, test: test.residual.abs().sum((1, 2, 3)),
    "largest local mean": lambda good, test: largest_local_mean(
        residual_map(test.images, test.result.reconstruction)
    ),
    "standardised, K = 0": _without_directions,
    **STANDARDISED,
    "distance of z": _latent_distance,
}


def _images(
    model: AnoGAN, options: argparse.Namespace
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Good images to learn from, test images, and their labels."""
    data = _data(options)
    data.setup()
    transform = cast(PreProcessor, model.pre_processor).transform
    assert transform is not None

    def batch(items: ImageFileDataset | Subset) -> torch.Tensor:
        return model.model.images_of(transform(torch.stack([item.image for item in items])))

    trained_on = Subset(data.train_data, range(min(len(data.train_data), options.good)))
    held_out = Subset(data.val_data, range(selecting(len(data.val_data))))
    test = data.test_subset(options.images // 2)
    labels = torch.tensor([int(item.gt_label) for item in test])
    return torch.cat([batch(trained_on), batch(held_out)]), batch(test), labels


def _data(options: argparse.Namespace) -> ICMold | OneClassDigits:
    if options.name.startswith("mnist"):
        return OneClassDigits(
            root=options.data, normal_digits=[int(options.name[-1])], image_size=32
        )
    if options.name.startswith("icmold"):
        return ICMold(root=options.data)
    return ICMold(root=options.data, paint_defects=["short_fill"], held_out_ratio=0.3)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="icmold, mnist and a digit, or photographs to paint on")
    parser.add_argument("checkpoint", type=Path, help="of AnoGAN")
    parser.add_argument("--data", type=Path, required=True, help="root of the data module")
    parser.add_argument("--seed", type=int, default=0, help="of the training, for the row")
    parser.add_argument("--images", type=int, default=500, help="test images, half of each label")
    parser.add_argument("--good", type=int, default=512, help="images trained on to learn from")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


if __name__ == "__main__":
    main()
