# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Train and test every model on every data set; the table "model × data set" of the READMEs.

A job is a model on a data set with a seed. Its line in ``results.jsonl`` beside this file is
written when it has ended, its raw scores are in ``scores/``; a job that has its line is not run
again, so an interrupted call goes on. A job that fails is a line, too, with its reason. Examples:

    python results/model_table/run.py --list
    python results/model_table/run.py --icmold datasets/icmold --mnist datasets/mnist --seeds 0 1 2
    python results/model_table/run.py --icmold datasets/icmold --models AnoGAN FAnoGAN --time

``--time`` times scoring with the checkpoints of jobs that have ended, on a machine that should do
nothing else, and writes ``times.jsonl``.
"""

import argparse
import dataclasses
import json
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anomalib
import pandas as pd
import torch
from anomalib.engine import Engine
from anomalib.models import AnomalibModule, get_model
from lightning import seed_everything

from anogan_plugin import ICMold, OneClassDigits, __version__
from anogan_plugin.backbones.choice import ARGUMENTS, OFFLINE_BACKBONE
from anogan_plugin.backbones.patchcore_memory import limit_malloc_growth, plan_coreset
from anogan_plugin.data.one_class_datamodule import OneClassDataModule
from anogan_plugin.models.components.score_table import ScoreTable
from anogan_plugin.models.components.training_watch import TrainingWatch
from anogan_plugin.rendering import RENDERER_VERSION

HERE = Path(__file__).parent
RUNS = HERE.parent / "runs" / "model_table"
BATCH = 32
CORESET = 1_000
"""Patches that PatchCore keeps."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One model of the table.

    Args:
        model: Class name.
        arguments: Its arguments.
        sets: Kinds of data that it is for.
        epochs: Share of the data set's epochs that it trains for; 0 scores only.
        weights_of: Row whose checkpoint of the same data and seed it takes, to go on from or, with
            no epochs, to score with.
        input_size: Side in pixels to which a model of anomalib's own resizes the images.
    """

    model: str
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    sets: tuple[str, ...] = ("icmold", "chip", "mnist")
    epochs: float = 1.0
    weights_of: str | None = None
    input_size: int | None = None


PARTS = ("icmold", "chip")  # what anomalib's models and the supervised one are for


def offline(model: str) -> dict[str, Any]:
    """The arguments of anomalib's own models: their results must not depend on a hub."""
    return {"backbone": OFFLINE_BACKBONE, **ARGUMENTS[OFFLINE_BACKBONE][model]}


ROWS = {
    "AnoGAN, fast search": Row("AnoGAN", {"search": "fast"}),
    "AnoGAN, paper's search": Row(
        "AnoGAN", {"search": "paper"}, PARTS, epochs=0, weights_of="AnoGAN, fast search"
    ),
    "f-AnoGAN": Row("FAnoGAN", epochs=0.25, weights_of="AnoGAN, fast search"),
    "Efficient GAN": Row("EfficientGAN"),
    "ALAD": Row("ALAD"),
    "autoencoder, L2": Row("ConvAutoencoder", {"loss": "l2"}),
    "autoencoder, L1": Row("ConvAutoencoder", {"loss": "l1"}),
    "autoencoder, SSIM": Row("ConvAutoencoder", {"loss": "ssim"}),
    "VAE": Row("VAE"),
    **{
        row: Row(model, offline(model), PARTS, input_size=128)
        for row, model in {"PatchCore": "Patchcore", "PaDiM": "Padim"}.items()
    },
    **{
        f"supervised CNN, {k} defects": Row("SupervisedCNN", {"defects_per_type": k}, sets)
        for k, sets in {1: PARTS, 5: PARTS, 20: ("icmold",)}.items()
    },
}


@dataclasses.dataclass(frozen=True)
class Data:
    """One data set of the table.

    Args:
        kind: ``icmold``, ``chip`` or ``mnist``.
        arguments: Of its data module, beside the root.
        epochs: Epochs of training.
        image_size: Side in pixels at which our models work.
        labelled_defects: Defects set aside from the test set, whatever the model: all models are
            tested on the same images.
    """

    kind: str
    arguments: dict[str, Any]
    epochs: int
    image_size: int = 64
    labelled_defects: int = 0

    def module(self, root: Path, seed: int) -> OneClassDataModule:
        """The data module on the images in ``root``; the seed draws what is held out, set aside."""
        if self.kind == "mnist":
            size = self.image_size
            return OneClassDigits(root=root, image_size=size, seed=seed, **self.arguments)
        aside = self.labelled_defects
        return ICMold(root=root, labelled_defects=aside, seed=seed, **self.arguments)


PAINTED = {"paint_defects": ["short_fill"], "paint_count": 60, "train_batch_size": 16}
DATA = {
    "icmold": Data("icmold", {}, epochs=40, labelled_defects=20),
    **{
        f"chip {part}": Data("chip", PAINTED, epochs=200, labelled_defects=5)
        for part in ("74LS00", "74LS47")
    },
    **{f"mnist {digit}": Data("mnist", {"normal_digits": [digit]}, 15, 32) for digit in range(10)},
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One model on one data set with one seed."""

    row: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        """A name for its files."""
        return f"{self.row}_{self.data}_{self.seed}".replace(", ", "_").replace(" ", "_")

    @property
    def checkpoint(self) -> Path:
        """Where its trained weights are kept."""
        return RUNS / f"{self.name}.ckpt"

    def model(self, data: OneClassDataModule) -> AnomalibModule:
        """Build the model for prepared data; it gives raw scores and draws nothing."""
        row, arguments = ROWS[self.row], dict(ROWS[self.row].arguments)
        quiet = {"visualizer": False, "evaluator": False}
        if row.input_size is not None:
            size = (row.input_size, row.input_size)
            if row.model == "Patchcore":
                limit_malloc_growth()
                images = len(data.train_data)
                plan = plan_coreset(images, row.input_size, **arguments, max_picks=CORESET)
                arguments["coreset_sampling_ratio"] = plan.coreset_sampling_ratio
            resize = type(get_model(row.model, **arguments)).configure_pre_processor(size)
            raw = {"post_processor": False, "pre_processor": resize}
            return get_model(row.model, **arguments, **quiet, **raw)
        arguments["image_size"] = DATA[self.data].image_size
        if row.weights_of and row.epochs:
            arguments["gan_checkpoint"] = str(self.weights)
        return get_model(row.model, **arguments, **quiet, post_processor=False)

    @property
    def trained(self) -> Path:
        """The checkpoint that it scores with."""
        return self.checkpoint if ROWS[self.row].epochs else self.weights

    @property
    def weights(self) -> Path:
        """Checkpoint that it starts from."""
        return Job(str(ROWS[self.row].weights_of), self.data, self.seed).checkpoint


def run(job: Job, root: Path) -> dict[str, Any]:
    """Train and test; leave the checkpoint and the scores.

    Args:
        job: What to run.
        root: Of its data module.

    Returns:
        The line of ``results.jsonl``.
    """
    seed_everything(job.seed, verbose=False)
    data, row = DATA[job.data].module(root, job.seed), ROWS[job.row]
    data.prepare_data()
    data.setup()
    model = job.model(data)
    is_ours = row.input_size is None
    engine = Engine(
        max_epochs=max(1, round(row.epochs * DATA[job.data].epochs)),
        default_root_dir=RUNS / job.name,
        accelerator="cpu",
        devices=1,
        callbacks=[] if is_ours else [ScoreTable()],
    )
    begin = time.process_time()  # of one thread it is the time on a machine with nothing else to do
    if row.epochs:
        engine.fit(model, datamodule=data)
        engine.trainer.save_checkpoint(job.checkpoint)
    else:
        weights = torch.load(job.weights, weights_only=True)["state_dict"]
        model.load_state_dict(weights)
    trained = time.process_time()
    engine.test(model, datamodule=data)
    scores = pd.read_csv(Path(engine.trainer.default_root_dir) / "scores_test.csv")
    scores["image_path"] = scores.image_path.map(lambda path: "/".join(Path(path).parts[-2:]))
    scores = scores.drop(columns=["picture", "rejected"]).dropna(axis="columns", how="all")
    (HERE / "scores").mkdir(exist_ok=True)
    scores.to_csv(HERE / "scores" / f"{job.name}.csv.gz", index=False, float_format="%.6g")
    return {
        "problem": _problem(engine),
        "train_cpu_seconds": round(trained - begin, 1) if row.epochs else None,
        "test_cpu_seconds": round(time.process_time() - trained, 1),
        "parameters": sum(weight.numel() for weight in model.model.parameters()),
        "good": int((scores.label == 0).sum()),
        "anomalous": int((scores.label == 1).sum()),
        "renderer": RENDERER_VERSION if isinstance(data, ICMold) else None,
    }


def _problem(engine: Engine) -> str | None:
    watches = [c for c in engine.trainer.callbacks if isinstance(c, TrainingWatch)]
    return watches[0].health.problem if watches else None


def timed(job: Job, root: Path) -> dict[str, Any]:
    """Time scoring of single images and of batches, after a warm-up.

    Args:
        job: A job that has ended.
        root: Of its data module.

    Returns:
        The line of ``times.jsonl``.
    """
    data = DATA[job.data].module(root, job.seed)
    data.prepare_data()
    data.setup()
    model = job.model(data)
    model.load_state_dict(torch.load(job.trained, weights_only=True)["state_dict"])
    model.eval()
    subset = data.test_subset(BATCH // 2)
    assert model.pre_processor is not None
    images = model.pre_processor.transform(
        torch.stack([subset[i].image for i in range(len(subset))])
    )
    with torch.inference_mode():
        model.model(images)  # warm-up: freezes networks, fits the start of a search
        return {"ms": _median_ms(model, images[:1], 9), "ms_batched": _median_ms(model, images, 3)}


def _median_ms(model: AnomalibModule, images: torch.Tensor, repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        model.model(images)
        seconds.append(time.perf_counter() - begin)
    return round(float(torch.tensor(seconds).median()) / len(images) * 1000, 4)


def jobs(options: argparse.Namespace) -> Iterator[tuple[Job, Path]]:
    """What the command line asks for, in an order in which weights exist before they are needed."""
    roots = {"icmold": options.icmold, "chip": options.chips, "mnist": options.mnist}
    for seed in options.seeds:
        for name, data in DATA.items():
            root = roots[data.kind]
            if root is None or (options.data and name not in options.data):
                continue
            for row in options.models or ROWS:
                if data.kind in ROWS[row].sets:
                    part = root / name.split()[1] if data.kind == "chip" else root
                    yield Job(row, name, seed), part


def settings(row: str, data: str) -> dict[str, Any]:
    """What a result depends on, as it is in the file."""
    found = {**dataclasses.asdict(ROWS[row]), "of_data": dataclasses.asdict(DATA[data])}
    return json.loads(json.dumps(found))


def main() -> None:
    """Run, list or time the jobs that have not been."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    output = HERE / ("times.jsonl" if options.time else "results.jsonl")
    known = (
        [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []
    )
    # What was run with other arguments or for other epochs is run again, and its line is the last.
    ended = {
        Job(line["row"], line["data"], line["seed"])
        for line in known
        if not line["error"] and line["settings"] == settings(line["row"], line["data"])
    }
    environment = {
        "threads": options.threads,
        "machine": platform.machine(),
        "anogan_plugin": __version__,
        "anomalib": anomalib.__version__,
        "torch": torch.__version__,
    }
    RUNS.mkdir(parents=True, exist_ok=True)
    for job, root in jobs(options):
        print(f"{job}: {'ended' if job in ended else 'to run'}", flush=True)
        if options.list or job in ended or (options.time and not job.trained.exists()):
            continue
        try:
            found: dict[str, Any] = {"error": None, **(timed if options.time else run)(job, root)}
        except Exception as error:  # the other jobs go on; this one is a line with its reason
            found = {"error": f"{type(error).__name__}: {error}"}
        named = {"model": ROWS[job.row].model, **dataclasses.asdict(job)}
        line = {**named, "settings": settings(job.row, job.data), **found, **environment}
        with output.open("a") as results:
            results.write(json.dumps(line) + "\n")
        print(json.dumps(line, indent=2), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icmold", type=Path, help="root of the rendered set")
    parser.add_argument("--chips", type=Path, help="folder with one folder of photographs per part")
    parser.add_argument("--mnist", type=Path, help="root of MNIST")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--models", nargs="+", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--data", nargs="+", choices=DATA, metavar="DATA", help=", ".join(DATA))
    parser.add_argument("--list", action="store_true", help="only list the jobs")
    parser.add_argument("--time", action="store_true", help="time scoring instead")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser


if __name__ == "__main__":
    main()
