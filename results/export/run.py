# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Time exported models in each runtime, and compare their answers with the checkpoint's.

    python results/export/run.py                                                # after one epoch
    python results/export/run.py --checkpoint "AnoGAN, inspection" path/to/model.ckpt

Exports to PyTorch, ONNX and OpenVINO, scores the same test images with each file, one at a time and
in float32, and writes times.csv beside this file. A model without a checkpoint is trained for one
epoch on a small rendered set: enough for times and for equality, not for scores of any use.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import openvino
import pandas as pd
import torch
from anomalib.engine import Engine
from anomalib.models import AnomalibModule, get_model
from numpy.typing import NDArray

from anogan_plugin import ICMold
from anogan_plugin.comparison.environment import environment

HERE = Path(__file__).parent
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "AnoGAN, inspection": ("AnoGAN", {"preset": "inspection", "search_precision": "fp32"}),
    "AnoGAN, fast": ("AnoGAN", {"search": "fast", "search_precision": "fp32"}),
    "EfficientGAN": ("EfficientGAN", {}),
    "ConvAutoencoder": ("ConvAutoencoder", {}),
}
_LEAST_SECONDS = 5.0
_LEAST_REPEATS = 16
_LAST_DIGIT = np.float32(1e-7)

Array = NDArray[np.float32]
Answer = Callable[[Array], tuple[Array, Array]]
"""Images ``(B, 3, S, S)`` in [0, 1] to scores ``(B,)`` and maps ``(B, S, S)``."""


def main() -> None:
    """Measure, and write the rows."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        data = ICMold(root=f"{folder}/icmold", train_good=160, test_good=16, test_defects=16)
        data.setup()
        test = data.test_subset(options.images // 2)
        images = torch.stack([cast(torch.Tensor, test[i].image) for i in range(len(test))]).numpy()
        checkpoints = dict(options.checkpoint)
        for name in options.models:
            model = trained(name, checkpoints.get(name), data, Path(folder))
            weights = "checkpoint" if name in checkpoints else "one epoch"
            for row in measured(model, images, Path(folder), options.threads):
                rows.append({"model": name, "weights": weights, **row})
                print(rows[-1], flush=True)
    machine = {name: environment("cpu")[name] for name in ("threads", "processor")}
    shape = {"images": len(images), "pixels": images.shape[-1]}
    pd.DataFrame([{**row, **shape, **machine} for row in rows]).to_csv(
        options.csv, index=False, float_format="%.4g"
    )
    print(options.csv)


def trained(name: str, checkpoint: str | None, data: ICMold, folder: Path) -> AnomalibModule:
    """A model of :data:`MODELS`, from its checkpoint or after one epoch."""
    kind, arguments = MODELS[name]
    model = get_model(kind, **arguments)
    if checkpoint is not None:
        model = type(model).load_from_checkpoint(checkpoint, map_location="cpu", **arguments)
    else:
        engine = Engine(max_epochs=1, default_root_dir=folder, accelerator="cpu", devices=1)
        engine.fit(model, datamodule=data)
    return model.eval()


def measured(
    model: AnomalibModule, images: Array, folder: Path, threads: int
) -> Iterator[dict[str, Any]]:
    """Time each runtime and compare it with the model.

    Args:
        model: In eval mode.
        images: ``(N, 3, S, S)`` in [0, 1].
        folder: Where to write the files.
        threads: Threads of each runtime.

    Yields:
        Milliseconds per image, by the clock and of the processor; the largest differences of a
        score and of a map, relative to the score and to the image's largest map value; and, to
        measure them by, how far the model's own scores move when its images move by 1e-7.
    """
    scores, maps = _one_by_one(in_pytorch(model), images)
    moved, _ = _one_by_one(in_pytorch(model), (images - _LAST_DIGIT).clip(0, 1))
    size = images.shape[2:]
    ways: dict[str, Callable[[], Answer]] = {
        "torch": lambda: in_pytorch(_torch_file(model.to_torch(folder))),
        "onnxruntime": lambda: in_onnx_runtime(model.to_onnx(folder, input_size=size), threads),
        "openvino": lambda: in_openvino(model.to_openvino(folder, input_size=size), threads),
    }
    for runtime, make in ways.items():
        answer = make()
        found_scores, found_maps = _one_by_one(answer, images)
        off = np.abs(found_maps - maps).max((1, 2)) / np.abs(maps).max((1, 2))
        yield {
            "runtime": runtime,
            "version": version(runtime),
            **_milliseconds(answer, images),
            "largest_score_difference": float(np.abs(found_scores / scores - 1).max()),
            "largest_map_difference": float(off.max()),
            "own_score_difference": float(np.abs(moved / scores - 1).max()),
        }


def in_pytorch(model: AnomalibModule) -> Answer:
    """The model itself."""

    def answer(images: Array) -> tuple[Array, Array]:
        with torch.inference_mode():
            found = model(torch.from_numpy(images))
        return found.pred_score.numpy(), found.anomaly_map.numpy()

    return answer


def in_onnx_runtime(path: Path, threads: int) -> Answer:
    """An exported ``.onnx`` file in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = ["pred_score", "anomaly_map"]
    return lambda images: cast(tuple[Array, Array], session.run(outputs, {"input": images}))


def in_openvino(path: Path, threads: int) -> Answer:
    """An exported ``.xml`` file in OpenVINO."""
    config = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", config)

    def answer(images: Array) -> tuple[Array, Array]:
        found = compiled(images)
        return found["pred_score"], found["anomaly_map"]

    return answer


def _torch_file(path: Path) -> AnomalibModule:
    return torch.load(path, weights_only=False)["model"].eval()


def _one_by_one(answer: Answer, images: Array) -> tuple[Array, Array]:
    scores, maps = zip(*(answer(image[None]) for image in images), strict=True)
    return np.concatenate(scores), np.concatenate(maps)


def _milliseconds(answer: Answer, images: Array) -> dict[str, float]:
    """Medians of at least 16 images and five seconds.

    The processor's time hardly depends on what else runs, and with one thread it is what the clock
    would show on a machine that does nothing else.
    """
    clocks: list[tuple[float, float]] = []
    while len(clocks) < _LEAST_REPEATS or sum(wall for wall, _ in clocks) < _LEAST_SECONDS:
        image = images[len(clocks) % len(images)][None]
        wall, processor = time.perf_counter(), time.process_time()
        answer(image)
        clocks.append((time.perf_counter() - wall, time.process_time() - processor))
    wall, processor = np.median(clocks, axis=0) * 1000
    return {"ms_per_image": wall, "processor_ms_per_image": processor}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkpoint", nargs=2, action="append", default=[], metavar=("MODEL", "PATH")
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--images", type=int, default=16, help="test images, half of them defects")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--csv", type=Path, default=HERE / "times.csv", help="file to write")
    return parser


if __name__ == "__main__":
    main()
