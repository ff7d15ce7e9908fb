# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Runs a job: trains, or takes the weights of a job that only scores differently; then scores."""

import datetime
import json
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from anomalib.data import AnomalibDataModule
from anomalib.engine import Engine
from anomalib.models import AnomalibModule
from lightning import seed_everything
from lightning.pytorch import Callback

from anogan_plugin.comparison.building import (
    build_data,
    build_model,
    changed_arguments,
    unmeasured,
)
from anogan_plugin.comparison.environment import (
    environment,
    images_digest,
    peak_memory_mib,
    scoring_identity,
)
from anogan_plugin.comparison.examples import write_examples
from anogan_plugin.comparison.job import Job
from anogan_plugin.comparison.job_folder import RESULT, TIMING, JobFolder
from anogan_plugin.comparison.job_progress import JobProgress
from anogan_plugin.comparison.machine import this_machine
from anogan_plugin.comparison.scored_batches import SavedBatches
from anogan_plugin.comparison.scoring import TEST, RawScores, loaders
from anogan_plugin.comparison.timing import time_inference
from anogan_plugin.files import write_atomically, write_json
from anogan_plugin.models.components.training_watch import TrainingWatch, selecting
from anogan_plugin.scoring.checkpoint import load_weights
from anogan_plugin.statistics.pixels import pixel_metrics

_OF_TRAINING = ("train_seconds", "epochs", "problem", "peak_memory_mib", "changed_arguments")


def run_job(job: Job, output: Path, device: str = "cpu") -> None:
    """Train and score, unless that has been done; leave the files of :class:`JobFolder`.

    Args:
        job: The job.
        output: Folder of the comparison.
        device: ``cpu``, or ``cuda:0`` and so on.

    Raises:
        Exception: Whatever went wrong; its traceback is in ``error.txt``, too.
    """
    _leave(RESULT, _result, JobFolder(output, job), device)


def time_job(job: Job, output: Path, device: str = "cpu") -> None:
    """Time scoring with the trained weights, unless that has been done.

    Waits until no other call in this folder uses the machine; what else runs is measured, too.

    Args:
        job: A job that is done.
        output: Folder of the comparison.
        device: As for :func:`run_job`.

    Raises:
        Exception: As :func:`run_job`.
    """
    _leave(TIMING, _timing, JobFolder(output, job), device)


def _leave(
    name: str, action: Callable[[JobFolder, str], dict[str, Any]], folder: JobFolder, device: str
) -> None:
    """Write what ``action`` finds into a file, or why it did not."""
    with this_machine(folder.output, alone=name == TIMING), folder.lock():
        if folder.has(name):
            return
        folder.begin()
        try:
            folder.write_json(name, action(folder, device))
            shutil.rmtree(folder.scored, ignore_errors=True)
        except BaseException:
            folder.write_error(traceback.format_exc())
            raise
        finally:
            shutil.rmtree(folder.work, ignore_errors=True)


def _result(folder: JobFolder, device: str) -> dict[str, Any]:
    job, started = folder.job, datetime.datetime.now(datetime.timezone.utc)
    progress = JobProgress(folder)
    # Before the model is built: its first weights are drawn, too.
    seed_everything(job.seed, verbose=False)
    trained = _trained(folder, progress, device)
    # Not what was trained on: fitting leaves a model's own resizing in its data module, and scores
    # and masks would depend on whether this process has trained.
    data = build_data(job)
    about = {**environment(device), "images": images_digest(data)}
    saved = SavedBatches(folder.scored, scoring_identity(folder.checkpoint, about))
    model, raw = build_model(job, data), RawScores(job.seed, saved)
    begin, earlier = time.perf_counter(), raw.seconds
    engine = _engine(folder, device, [raw, progress])
    rest = loaders(data, raw.scored)
    with unmeasured(model):
        engine.test(model, dataloaders=rest, ckpt_path=folder.checkpoint, verbose=False)
    test_seconds = time.perf_counter() - begin + earlier
    table = raw.table(data, _selecting(engine, data))
    folder.write_scores(table)
    test = table[table.split == TEST].reset_index(drop=True)
    write_examples(folder.examples, test, raw.pictures)
    pixel, without_pixel = _pixel_metrics(raw)
    peak = max(peak_memory_mib(device), trained.pop("peak_memory_mib") or 0)
    return {
        "model": job.model.name,
        "data": job.data,
        "seed": job.seed,
        "key": job.key,
        "status": "done",
        "started": started.isoformat(timespec="seconds"),
        **trained,
        "test_seconds": round(test_seconds, 2),
        "images_tested": len(test),
        "parameters": sum(weight.numel() for weight in model.model.parameters()),
        "peak_memory_mib": peak,
        "search_steps": float(test.steps.mean()) if "steps" in test else None,
        "pixel": pixel,
        "without_pixel": without_pixel,
        "environment": about,
    }


def _selecting(engine: Engine, data: AnomalibDataModule) -> int:
    """How many held-out images the model chose its epoch by; 0 if they are too few to share out."""
    held_out = len(data.val_data)
    used = selecting(held_out) if _watches(engine) else 0
    return used if used < held_out else 0


def _timing(folder: JobFolder, device: str) -> dict[str, Any]:
    data = build_data(folder.job)
    model = load_weights(build_model(folder.job, data), folder.checkpoint, device)
    return {**time_inference(model, data, device), "environment": environment(device)}


def _pixel_metrics(raw: RawScores) -> tuple[dict[str, float] | None, str | None]:
    """Pixel metrics, or why there are none: image scores are good without."""
    found = raw.maps_and_masks()
    if found is None:
        return None, "there are no maps, no masks, or images of several sizes"
    try:
        return pixel_metrics(*found), None
    except ValueError as error:
        return None, str(error)


def _trained(folder: JobFolder, progress: Callback, device: str) -> dict[str, Any]:
    """Have trained weights in ``folder.checkpoint``; return how they came about."""
    notes = folder.training / "training.json"
    with folder.training_lock():
        data = build_data(folder.job)
        loaders(data)  # what can't be scored is not worth training
        digest = images_digest(data)
        if not _is_trained_on(digest, folder.checkpoint, notes):
            folder.checkpoint.unlink(missing_ok=True)
            job = folder.job.for_training()
            changed, model = changed_arguments(job, data), build_model(job, data)
            engine = _engine(folder, device, [progress], **job.model.trainer)
            _check_end(job, model)
            begin = time.perf_counter()
            with unmeasured(model):
                engine.fit(model, datamodule=data)
            found = {
                "train_seconds": round(time.perf_counter() - begin, 2),
                "epochs": engine.trainer.current_epoch,
                "problem": _problem(engine),
                "peak_memory_mib": peak_memory_mib(device),
                "changed_arguments": changed,
                "images": digest,
            }
            write_json(notes, found)
            _keep_samples(Path(engine.trainer.default_root_dir), folder.training)
            save = engine.trainer.save_checkpoint
            write_atomically(folder.checkpoint, lambda path: save(path, weights_only=True))
        found = json.loads(notes.read_text())
        return {name: found.get(name) for name in _OF_TRAINING}


def _is_trained_on(digest: str, checkpoint: Path, notes: Path) -> bool:
    """Whether there are weights, of the images that are there now."""
    return checkpoint.exists() and json.loads(notes.read_text())["images"] == digest


def _engine(folder: JobFolder, device: str, callbacks: list[Callback], **trainer: Any) -> Engine:
    kind, _, index = device.partition(":")
    return Engine(
        callbacks=callbacks,
        logger=False,
        default_root_dir=folder.work,
        accelerator="gpu" if kind == "cuda" else kind,
        devices=[int(index or 0)] if kind == "cuda" else 1,
        **trainer,
    )


def _check_end(job: Job, model: AnomalibModule) -> None:
    ends = {"max_epochs", "max_steps", "max_time"}
    given = {**job.model.trainer, **model.trainer_arguments}
    if all(given.get(end) is None for end in ends):
        raise ValueError(
            f"{job.model.name} has no end to its training: give it, or the whole comparison, "
            "trainer: {max_epochs: NUMBER}"
        )


def _problem(engine: Engine) -> str | None:
    watches = _watches(engine)
    return watches[0].health.problem if watches else None


def _watches(engine: Engine) -> list[TrainingWatch]:
    callbacks = cast(Any, engine.trainer).callbacks
    return [each for each in callbacks if isinstance(each, TrainingWatch)]


def _keep_samples(run: Path, training: Path) -> None:
    samples = training / "samples"
    shutil.rmtree(samples, ignore_errors=True)  # of a training that was interrupted
    if (run / "samples").is_dir():
        shutil.move(run / "samples", samples)
