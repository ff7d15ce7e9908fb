# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From the plain data of a job to a data module and a model."""

import contextlib
from collections.abc import Iterator
from typing import Any, cast

from anomalib.data import AnomalibDataModule
from anomalib.models import AnomalibModule, Patchcore

from anogan_plugin.backbones.patchcore_memory import limit_malloc_growth, plan_coreset
from anogan_plugin.comparison.classes import build, find_class
from anogan_plugin.comparison.job import Job

_SIDE_OF_PATCHCORE = 256  # to which it resizes unless it is told otherwise


def build_data(job: Job) -> AnomalibDataModule:
    """Build the data module of a job and have its images ready.

    Args:
        job: The job.

    Returns:
        The data module, set up.
    """
    data: AnomalibDataModule = build(find_class(job.data_class, AnomalibDataModule), job.data_args)
    data.prepare_data()
    data.setup()
    return data


def build_model(job: Job, data: AnomalibDataModule) -> AnomalibModule:
    """Build the model of a job.

    Args:
        job: The job.
        data: Its data, set up.

    Returns:
        The model.

    Raises:
        MemoryError: If it is PatchCore and its patches would not fit into memory.
    """
    cls = _model_class(job)
    arguments = {**job.model.init_args, **changed_arguments(job, data)}
    side = job.model.image_size
    if issubclass(cls, Patchcore):
        limit_malloc_growth()
    # Given to the constructor: some models make their networks for the size that it says.
    resized = {} if side is None else {"pre_processor": cls.configure_pre_processor((side, side))}
    model: AnomalibModule = build(cls, arguments, **resized)
    return model


@contextlib.contextmanager
def unmeasured(model: AnomalibModule) -> Iterator[None]:
    """Have a model draw nothing and compute no metric, which a comparison does itself.

    Args:
        model: Afterwards it does both again: a checkpoint of a model that does not would switch
            them off in ``anomalib test``, too.

    Yields:
        Nothing.
    """
    kept = model.evaluator, model.visualizer
    model.evaluator = model.visualizer = None
    try:
        yield
    finally:
        model.evaluator, model.visualizer = kept


def changed_arguments(job: Job, data: AnomalibDataModule) -> dict[str, Any]:
    """What can't be as the configuration has it: PatchCore's coreset, where memory is short.

    Args:
        job: The job.
        data: Its data, set up.

    Returns:
        Arguments of the model by name, with the values that they are given.

    Raises:
        MemoryError: If it is PatchCore and its patches would not fit into memory.
    """
    if not issubclass(_model_class(job), Patchcore):
        return {}
    names = ("backbone", "layers", "coreset_sampling_ratio")
    asked = {name: job.model.init_args[name] for name in names}
    side = job.model.image_size or _SIDE_OF_PATCHCORE
    plan = plan_coreset(len(data.train_data), side, **asked)
    if plan.picks == int(plan.patches * asked["coreset_sampling_ratio"]):
        return {}
    return {"coreset_sampling_ratio": plan.coreset_sampling_ratio}


def _model_class(job: Job) -> type[AnomalibModule]:
    return cast(type[AnomalibModule], find_class(job.model.class_path, AnomalibModule))
