# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A service on a free port of this machine, and somebody who asks it."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import uvicorn

from anogan_plugin.latent_search import ImageSource
from anogan_plugin.scoring.scorer import Scored, Scorer
from anogan_plugin.scoring.sequence import batches
from anogan_plugin.serving.app import Limits, Service
from anogan_plugin.serving.inspector import Inspector

TIMEOUT = 60
BATCH = 4


class Brightness(Scorer):
    """Scores the mean of all pixels, four images at a time, while its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def prepare(self, image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image)

    def stream(self, images: ImageSource) -> Iterator[Scored]:
        for index, batch in batches(images, BATCH):
            self.entered.release()
            assert self.gate.wait(TIMEOUT)
            score = batch.double().mean((1, 2, 3)).numpy()
            if (score == 1).any():
                raise ValueError("white is not allowed")
            yield Scored(index, {"score": score, "half": score / 2}, batch.mean(1).numpy(), None)


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


def ask(
    port: int, method: str, path: str, body: Any = None, kind: str | None = "image/png", **more: Any
) -> Answer:
    """Send one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    headers = {} if kind is None or body is None else {"Content-Type": kind}
    with contextlib.closing(connection):
        connection.request(method, path, body, headers, **more)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def metric(port: int, name: str) -> float:
    """A number that Prometheus would see; 0 if it is not there yet."""
    lines = ask(port, "GET", "/metrics").body.decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


@contextlib.contextmanager
def serving(
    scorer: Scorer, limits: Limits, threshold: float | None = None, name: str = "model"
) -> Iterator[int]:
    """Run a service in a thread; gives its port."""
    service = Service(Inspector(scorer, 10_000, threshold), name, limits)
    config = uvicorn.Config(service.app, "127.0.0.1", 0, log_level="warning")
    socket = config.bind_socket()
    socket.listen()  # who comes before the server is up waits
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    try:
        yield socket.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(TIMEOUT)
        assert not thread.is_alive()
