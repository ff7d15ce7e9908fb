# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What ``anomalib serve`` does."""

import socket
from pathlib import Path

import pandas as pd
import torch
from jsonargparse import Namespace
from rich.console import Console
from rich.text import Text

from anogan_plugin import __version__
from anogan_plugin.archive.output import ScoresFolder
from anogan_plugin.scoring.source import ScorerSource
from anogan_plugin.statistics.inspection import held_out_threshold

DONE, WRONG = 0, 2
_RECEIVING = 4
"""Images that may be received at a time, for one that may be scored."""
_FURTHER_CONNECTIONS = 256
"""For all else that is asked, and for clients who are told to come again."""
_HEAD_BYTES, _IDLE_SECONDS = 1 << 14, 5


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
        msg = (
            f"the service needs {error.name}: pip install '.[serve]' in a checkout of anogan_plugin"
        )
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
    receiving = _RECEIVING * options.max_images
    limits = Limits(options.max_images, receiving, options.max_bytes)
    config = uvicorn.Config(
        Service(inspector, source.name, limits).app,
        http="h11",  # another one that is installed has other limits
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=_IDLE_SECONDS,
        limit_concurrency=receiving + _FURTHER_CONNECTIONS,
        log_level="warning",
        server_header=False,
    )
    with _listen(options.host, options.port, config.backlog) as listening:
        host, port, *_ = listening.getsockname()
        console.print(f"{source.name} at http://{host}:{port}", highlight=False)
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    """Listen at once: who comes as soon as the address is told waits a moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"can't listen on {host}, port {port} ({error}): end what listens there, or give "
            "another --port (0 for any that is free) or another --host of this machine"
        ) from error


def _threshold(options: Namespace, source: ScorerSource) -> float | None:
    """The threshold for the overkill that is chosen; None for the checkpoint's own."""
    if options.overkill is None and options.good_scores is None:
        return None
    if options.overkill is None or options.good_scores is None:
        raise ValueError(
            "--overkill and --good_scores belong together: a threshold for an overkill comes from "
            "the scores of held-out good images, as `anomalib score` leaves them"
        )
    _check_good_scores(options.good_scores, source)
    scores = pd.read_parquet(options.good_scores, columns=["score"]).score.dropna()
    return held_out_threshold(scores.to_numpy(), options.overkill)


def _check_good_scores(path: Path, source: ScorerSource) -> None:
    folder = ScoresFolder(path)
    if not folder.begun:
        raise ValueError(
            f"{path} does not say what it was scored with, expected the folder that `anomalib "
            "score` has left: score held-out good images with this model"
        )
    if changed := folder.changed({**source.settings(), "version": __version__}):
        raise ValueError(
            f"{path} was scored with other {' and '.join(changed)} than are given now, whose "
            "threshold is another: score the good images with this model"
        )
    if left := len(folder.unfinished()):
        raise ValueError(
            f"{path} lacks {left} of its files, expected the scores of all images: give the same "
            "`anomalib score` command again, which goes on"
        )
