# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures of single results: image, reconstruction, difference, heat map."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from anomalib.utils.path import generate_output_filename
from anomalib.visualization import Visualizer
from lightning.pytorch import LightningModule, Trainer
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TILE = 256
_CAPTION = 28
_GOOD, _DEFECT = (40, 120, 220), (230, 110, 20)  # blue and orange: told apart by colour-blind eyes


class ReconstructionVisualizer(Visualizer):
    """Saves one strip per tested or predicted image into ``images/`` of the results folder.

    From left to right: the image as the model sees it, with the outline of the true mask where
    there is one; its reconstruction; their difference, signed, grey where they agree; the anomaly
    map as heat map, on one scale for all images. A model that makes no reconstruction has the
    first and the last.

    Args:
        full_scale: Value of the anomaly map that is drawn as hottest.
    """

    def __init__(self, full_scale: float = 0.5) -> None:
        super().__init__()
        self.full_scale = full_scale
        self._image_of_picture: dict[Path, str] = {}

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw and save every image of the batch; its ``pictures`` say where."""
        del pl_module, outputs, batch_idx, dataloader_idx
        root = Path(trainer.default_root_dir)
        datamodule = getattr(trainer, "datamodule", None)
        batch.pictures = []
        for index, path in enumerate(batch.image_path):
            target = generate_output_filename(
                input_path=path,
                output_path=root / "images",
                dataset_name=getattr(datamodule, "name", None),
                category=getattr(datamodule, "category", None),
            )
            picture = self._free_name(target, path)
            self.visualize(batch, index).save(picture)
            batch.pictures.append(str(picture.relative_to(root)))

    on_predict_batch_end = on_test_batch_end

    def _free_name(self, target: Path, image: str) -> Path:
        """A PNG file that belongs to no other image: a.jpg and a.png may lie side by side."""
        picture = target if target.suffix == ".png" else target.with_name(f"{target.name}.png")
        while self._image_of_picture.setdefault(picture, image) != image:
            picture = picture.with_stem(f"{picture.stem}_")
        return picture

    def visualize(self, batch: Any, index: int) -> Image.Image:
        """Draw one image of a batch.

        Args:
            batch: Scored ``ImageBatch`` with images in [-1, 1] and, attached by the model, their
                ``reconstruction`` ``(B, C, H, W)``, or None.
            index: Which image.

        Returns:
            RGB strip of tiles with captions.
        """
        image = batch.image[index].float().cpu()
        truth = None if batch.gt_mask is None else batch.gt_mask[index].cpu().numpy()
        heat = (batch.anomaly_map[index].float().cpu() / self.full_scale).clamp(0, 1).numpy()
        tiles = {"image": _outlined(_grey_levels(image), truth)}
        if batch.reconstruction is not None:
            reconstruction = batch.reconstruction[index].float().cpu()
            tiles["reconstruction"] = _enlarged(_grey_levels(reconstruction))
            tiles["difference"] = _enlarged(_grey_levels(image - reconstruction))
        tiles[f"score {float(batch.pred_score[index]):.4g}"] = _enlarged(
            (colormaps["inferno"](heat)[..., :3] * 255).astype(np.uint8)
        )
        strip = Image.fromarray(np.concatenate(list(tiles.values()), axis=1))
        return _with_captions(strip, list(tiles), _verdict(batch, index))


def _grey_levels(image: torch.Tensor) -> NDArray[np.uint8]:
    """``(C, H, W)`` in [-1, 1] to ``(H, W, 3)`` uint8."""
    levels = ((image.clamp(-1, 1) + 1) * 127.5).round().byte()
    return levels.expand(3, -1, -1).permute(1, 2, 0).numpy()


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Nearest neighbour: an inspector wants the pixels that were scored, not a smooth picture.
    enlarged = cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_NEAREST)
    return enlarged.astype(np.uint8)


def _outlined(image: NDArray[np.uint8], mask: NDArray[Any] | None) -> NDArray[np.uint8]:
    tile = _enlarged(image)
    if mask is not None:
        enlarged = _enlarged((mask > 0).astype(np.uint8))
        outlines, _ = cv2.findContours(enlarged, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, outlines, -1, _DEFECT, 1)
    return tile


def _verdict(batch: Any, index: int) -> str | None:
    if batch.pred_label is None:
        return None
    return "rejected" if bool(batch.pred_label[index]) else "accepted"


def _with_captions(strip: Image.Image, captions: list[str], verdict: str | None) -> Image.Image:
    picture = Image.new("RGB", (strip.width, strip.height + _CAPTION), "white")
    picture.paste(strip, (0, _CAPTION))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for column, caption in enumerate(captions):
        draw.text((column * _TILE + 6, 5), caption, "black", font)
    if verdict:
        colour = _DEFECT if verdict == "rejected" else _GOOD
        draw.text((strip.width - 6, 5), verdict, colour, font, anchor="ra")
    return picture
