# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ``anomalib score`` does."""

from pathlib import Path
from typing import Any

import torch
from filelock import Timeout
from jsonargparse import Namespace
from rich.console import Console
from rich.text import Text

from anogan_plugin import __version__
from anogan_plugin.archive.local_runner import LocalRunner
from anogan_plugin.archive.names import as_text
from anogan_plugin.archive.output import Plan, ScoresFolder
from anogan_plugin.archive.progress import ArchiveProgress
from anogan_plugin.archive.runner import ShardRunner
from anogan_plugin.archive.shard_scorer import Task
from anogan_plugin.archive.shards import Images
from anogan_plugin.processes import available_cores
from anogan_plugin.scoring.source import ScorerSource

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def score(options: Namespace) -> int:
    """Score an archive, print how it goes.

    Args:
        options: The command line of :class:`~anogan_plugin.archive.pipeline.Score`.

    Returns:
        The exit code.
    """
    console = Console()

    def say(text: str, code: int) -> int:
        console.print(Text(as_text(text), style="red"))
        return code

    folder = ScoresFolder(options.output)
    try:
        _check_apart(Images(options.images), options.output)
        task, runner = _task(options), _runner(options)
        with console.status("loading the model"):
            # What is wrong with it is seen before there is a folder, or many processes.
            task.source.open("cpu")
        with folder.lock():
            return _score(task, runner, options.shard, folder, console)
    except Timeout:
        return say(f"another command scores into {options.output}: wait for it", WRONG)
    except ValueError as error:
        return say(str(error), WRONG)
    except OSError as error:
        return say(f"{error}; when that is mended, the same command goes on", FAILED)
    except RuntimeError as error:
        return say(f"{error}; the same command goes on from here", FAILED)
    except KeyboardInterrupt:
        return say("interrupted; the same command goes on from here", INTERRUPTED)


def _check_apart(images: Images, output: Path) -> None:
    local, scores = images.local, output.resolve()
    if local is None:
        return
    if scores in (local, *local.parents) or (local.is_dir() and local in scores.parents):
        raise ValueError(
            f"--output {output} and --images {images.address} are one inside the other, expected "
            "them apart: scores are Parquet files, which would be taken for images, and images for "
            "scores; name another --output"
        )


def _score(
    task: Task, runner: ShardRunner, shard: int, folder: ScoresFolder, console: Console
) -> int:
    with console.status(f"listing {task.images}"):
        images = Images(task.images, folder.path)
        plan = folder.write_plan(images.shards(shard))
    if not plan.images:
        folder.drop_plan()
        raise ValueError(f"expected images in {task.images}, found none: name another --images")
    folder.begin(_settings(task, shard, plan))
    folder.forget_halves()
    shards = folder.unfinished()
    left = folder.images_in(shards)
    if left < plan.images:
        done = plan.images - left
        console.print(f"{done:,} of {plan.images:,} images were scored before", highlight=False)
    if shards:
        with ArchiveProgress(left, console) as progress:
            for scored in runner.run(task, shards):
                progress.show(scored)
    rows, unreadable = folder.counts()
    console.print(f"{rows:,} images in {folder.path}", highlight=False, soft_wrap=True)
    if unreadable:
        note = f"{unreadable:,} of them can't be read; their rows say why, in the column error"
        console.print(Text(note, style="yellow"))
    return DONE


def _task(options: Namespace) -> Task:
    for name in ("shard", "max_pixels"):
        if options[name] < 1:
            raise ValueError(f"--{name} is {options[name]}, expected 1 or more")
    source = ScorerSource.of(options)
    return Task(options.images, options.output, source, options.max_pixels)


def _settings(task: Task, shard: int, plan: Plan) -> dict[str, Any]:
    """What a row depends on, by the names that an error calls them."""
    return {
        "images": plan.digest,
        **task.source.settings(),
        "--shard": shard,
        "--max_pixels": task.most_pixels,
        "version": __version__,
    }


def _runner(options: Namespace) -> ShardRunner:
    if options.ray is None:
        gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        count = options.workers if options.workers is not None else len(gpus) or available_cores()
        if count < 1:
            raise ValueError(f"--workers is {count}, expected 1 or more")
        return LocalRunner([(gpus or ["cpu"])[index % len(gpus or [1])] for index in range(count)])
    if options.workers is not None:
        raise ValueError("--workers is for this machine; on a cluster Ray decides: drop it")
    from anogan_plugin.archive.ray_runner import RayRunner

    return RayRunner(options.ray)
