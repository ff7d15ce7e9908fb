# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ``anomalib serve`` does."""

import pandas as pd
import torch
from jsonargparse import Namespace
from rich.console import Console
from rich.text import Text

from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.statistics.inspection import held_out_threshold

DONE, WRONG = 0, 2


def serve(options: Namespace) -> int:
    """Serve a model until a signal ends it.

    Args:
        options: The command line of :class:`~anogan_plugin.serving.pipeline.Serve`.

    Returns:
        The exit code.
    """
    console = Console()
    try:
        _serve(options, console)
    except KeyboardInterrupt:  # when all that was taken has been answered
        return DONE
    except (ValueError, OSError) as error:
        console.print(Text(str(error), style="red"))
        return WRONG
    return DONE


def _serve(options: Namespace, console: Console) -> None:
    try:
        import uvicorn

        from anogan_plugin.serving.app import Limits, Service
    except ImportError as error:
        msg = f"the service needs {error.name}: pip install 'anogan_plugin[serve]'"
        raise ValueError(msg) from error
    from anogan_plugin.serving.inspector import Inspector

    for name in ("max_images", "max_bytes", "max_pixels"):
        if options[name] < 1:
            raise ValueError(f"--{name} is {options[name]}, expected 1 or more")
    source = ScorerSource.of(options)
    threshold = _threshold(options, source)
    with console.status("loading the model"):
        scorer = source.open("cuda:0" if torch.cuda.is_available() else "cpu")
        inspector = Inspector(scorer, options.max_pixels, threshold)
    limits = Limits(options.max_images, options.max_bytes)
    service = Service(inspector, source.name, limits)
    config = uvicorn.Config(
        service.app, options.host, options.port, log_level="warning", server_header=False
    )
    socket = config.bind_socket()
    socket.listen()  # who comes as soon as the address is told waits a moment
    host, port, *_ = socket.getsockname()
    console.print(f"{source.name} at http://{host}:{port}", highlight=False)
    uvicorn.Server(config).run(sockets=[socket])


def _threshold(options: Namespace, source: ScorerSource) -> float | None:
    """The threshold for the overkill that is chosen; None for the checkpoint's own."""
    if options.overkill is None and options.good_scores is None:
        return None
    if options.overkill is None or options.good_scores is None:
        raise ValueError(
            "--overkill and --good_scores belong together: a threshold for an overkill comes from "
            "the scores of held-out good images, as `anomalib score` leaves them"
        )
    if changed := ScoresFolder(options.good_scores).changed(source.settings()):
        raise ValueError(
            f"{options.good_scores} was scored with other {' and '.join(changed)} than are given "
            "now, whose threshold is another: score the good images with this model"
        )
    scores = pd.read_parquet(options.good_scores, columns=["score"]).score.dropna()
    return held_out_threshold(scores.to_numpy(), options.overkill)
