# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""From the plain data of a job to a data module and a model."""

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
    """Build the model of a job such that it gives raw scores, draws nothing and measures nothing.

    Args:
        job: The job.
        data: Its data, set up.

    Returns:
        The model.

    Raises:
        MemoryError: If it is PatchCore and its patches would not fit into memory.
    """
    cls = cast(type[AnomalibModule], find_class(job.model.class_path, AnomalibModule))
    arguments = dict(job.model.init_args)
    side = job.model.image_size
    if issubclass(cls, Patchcore):
        arguments |= _within_memory(arguments, len(data.train_data), side or _SIDE_OF_PATCHCORE)
    # Given to the constructor: some models make their networks for the size that it says.
    resized = {} if side is None else {"pre_processor": cls.configure_pre_processor((side, side))}
    model: AnomalibModule = build(cls, arguments, **resized)
    model.post_processor = model.evaluator = model.visualizer = None
    return model


def _within_memory(arguments: dict[str, Any], images: int, side: int) -> dict[str, Any]:
    limit_malloc_growth()
    asked = {name: arguments[name] for name in ("backbone", "layers", "coreset_sampling_ratio")}
    plan = plan_coreset(images, side, **asked)
    return {"coreset_sampling_ratio": plan.coreset_sampling_ratio}
