# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Load test of ``anomalib serve``: many clients, some of whom send what can't be scored.

Starts the service with an AnoGAN of random weights, whose search takes as long as a trained one's.
Clients send images one after the other, each waiting for its answer; one that is answered 503 tries
again. Then they keep to a timetable of four fifths of the best rate, and wait from the moment at
which an image is due. One request in ten is broken: a truncated image, a text, a picture of too
many pixels, too many bytes, a wrong type, a body that is cut off, a client that does not wait for
the answer. Every answer is compared with the image's score in a batch. At the end SIGTERM comes
while clients wait. If no answer was lost or wrong, leaves ``measured.json`` beside this file. Leave
the machine to it. Example:

    python results/serving/run.py --seconds 60 --clients 8 96
"""

import argparse
import collections
import contextlib
import functools
import http.client
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anomalib.models import get_model
from lightning.pytorch import Trainer
from PIL import Image

from anogan_plugin.comparison.environment import environment
from anogan_plugin.data.image_io import encode_png, read_pixels, to_unit_range
from anogan_plugin.processes import available_cores

HERE = Path(__file__).parent
MODEL = {"image_size": 32, "width": 8, "latent_size": 16, "search": "fast"}
MAX_IMAGES = 64
IMAGES = 64
BROKEN = 0.1
TIMEOUT = 120
TOLERANCE = 0.02
"""Relative: a search in bfloat16, where the machine has it, depends a little on the batch."""
HELD = 0.8
HELD_CLIENTS = 32


@dataclass
class Seen:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    faults: collections.Counter[str] = field(default_factory=collections.Counter)
    worst_difference: float = 0.0
    lost: int = 0


@functools.cache
def images() -> list[bytes]:
    """PNGs of grey noise."""
    draws = np.random.default_rng(0)
    return [encode_png(draws.integers(0, 255, (32, 32), np.uint8)) for _ in range(IMAGES)]


def prepare(folder: Path) -> tuple[Path, list[float]]:
    """Write a checkpoint; score the images in one batch."""
    torch.manual_seed(0)
    model: Any = get_model("AnoGAN", **MODEL)
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(folder / "model.ckpt")
    pixels = []
    for encoded in images():
        (folder / "image.png").write_bytes(encoded)
        pixels.append(torch.from_numpy(to_unit_range(read_pixels(folder / "image.png"))))
    scores = model.eval().model.score(model.pre_processor.transform(torch.stack(pixels)))
    return folder / "model.ckpt", scores.pred_score.tolist()


def start(checkpoint: Path, log: Path) -> tuple[subprocess.Popen[str], int]:
    """Start the service."""
    command = [str(Path(sys.executable).parent / "anomalib"), "serve"]
    command += ["--ckpt_path", str(checkpoint), "--port", "0", "--max_images", str(MAX_IMAGES)]
    running = subprocess.Popen(
        command,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
    )
    assert running.stdout is not None
    found = (re.search(r"http://127.0.0.1:(\d+)", line) for line in running.stdout)
    return running, int(next(match for match in found if match)[1])


@functools.cache
def broken() -> dict[str, tuple[bytes, str, int]]:
    """Requests that can't be answered: body, type, and the status that is due."""
    bomb = io.BytesIO()
    Image.new("1", (15_000, 15_000)).save(bomb, "PNG")
    whole = images()[0]
    return {
        "truncated": (whole[:-20], "image/png", 422),
        "text": (b"no image", "image/png", 422),
        "too many pixels": (bomb.getvalue(), "image/png", 422),
        "too many bytes": (b"0" * ((16 << 20) + 1), "image/png", 413),
        "wrong type": (whole, "text/html", 415),
    }


def ask(port: int, body: bytes, kind: str) -> tuple[int, dict[str, str], bytes]:
    """Send one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    with contextlib.closing(connection):
        connection.request("POST", "/score", body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


def leave(port: int, body: bytes, of: int) -> None:
    """Send so many bytes of an image and leave."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:of])


class Client(threading.Thread):
    """Sends images until it is told to stop.

    Args:
        number: Of the client; what it sends follows from it.
        port: Of the service.
        expected: What the images score.
        until: When to stop.
        every: Seconds between two images; 0 for one as soon as the last is answered.
    """

    def __init__(
        self, number: int, port: int, expected: list[float], until: float, every: float = 0.0
    ) -> None:
        super().__init__()
        self.seen = Seen()
        self._draws, self._port, self._every = random.Random(number), port, every
        self._expected, self._until = expected, until
        self._images, self._broken = images(), broken()

    def run(self) -> None:
        """Send one after the other."""
        due = time.perf_counter() + self._draws.random() * self._every
        while due < self._until:
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                if self._draws.random() < BROKEN:
                    self._send_broken()
                else:
                    self.send(self._draws.randrange(IMAGES), due)
            except (OSError, http.client.HTTPException):
                self.seen.lost += 1
            due = due + self._every if self._every else time.perf_counter()

    def send(self, number: int, due: float) -> None:
        """Send an image until it is scored."""
        while True:
            status, headers, body = ask(self._port, self._images[number], "image/png")
            self.seen.statuses[status] += 1
            if status != 503:
                break
            # Sooner than asked for, so that there is overload to be measured.
            time.sleep(min(0.2, float(headers["retry-after"])))
        self.seen.seconds.append(time.perf_counter() - due)
        if status != 200:
            self.seen.lost += 1
            return
        difference = abs(json.loads(body)["score"] / self._expected[number] - 1)
        self.seen.worst_difference = max(self.seen.worst_difference, difference)

    def _send_broken(self) -> None:
        kind = self._draws.choice([*self._broken, "cut off", "gone"])
        self.seen.faults[kind] += 1
        if kind in ("cut off", "gone"):
            image = self._draws.choice(self._images)
            leave(self._port, image, len(image) // (2 if kind == "cut off" else 1))
            return
        body, content_type, due = self._broken[kind]
        try:
            status, _, _ = ask(self._port, body, content_type)
        except (BrokenPipeError, ConnectionResetError):  # refused before it was all sent
            return
        self.seen.lost += status not in (due, 503)


def load(
    port: int, expected: list[float], clients: int, seconds: float, rate: float | None = None
) -> dict[str, Any]:
    """Have clients send for a while, so many images per second or as many as they can."""
    begin, every = time.perf_counter(), clients / rate if rate else 0.0
    threads = [Client(number, port, expected, begin + seconds, every) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    seen = [thread.seen for thread in threads]
    waited = np.array([value for each in seen for value in each.seconds])
    statuses = sum((each.statuses for each in seen), collections.Counter[int]())
    return {
        "clients": clients,
        "requests_due_per_second": rate,
        "seconds": round(took, 1),
        "images_per_second": round(statuses[200] / took, 2),
        "median_ms": round(1000 * float(np.median(waited)), 1),
        "p95_ms": round(1000 * float(np.quantile(waited, 0.95)), 1),
        "answers": {str(status): count for status, count in sorted(statuses.items())},
        "faults": dict(sum((each.faults for each in seen), collections.Counter[str]())),
        "worst_relative_difference": max(each.worst_difference for each in seen),
        "lost": sum(each.lost for each in seen),
    }


def terminate(running: subprocess.Popen[str], port: int, expected: list[float]) -> dict[str, Any]:
    """Send SIGTERM while clients wait for their answers."""
    clients = [Client(number, port, expected, 0) for number in range(16)]

    def send(client: Client, number: int) -> None:
        with contextlib.suppress(OSError):  # who comes when the door is closed
            client.send(number, time.perf_counter())

    threads = [threading.Thread(target=send, args=(c, i)) for i, c in enumerate(clients)]
    for thread in threads:
        thread.start()
    taken = 0.0
    while taken < len(clients) / 2:  # some are still on their way: those may be turned away
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found = re.search(r"^anomalib_images_taken (\S+)", text, re.MULTILINE)
        assert found is not None, "the gauge is always there"
        taken = float(found[1])
    running.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    answered = sum(client.seen.statuses[200] for client in clients)
    return {
        "waiting": int(taken),
        "answered": answered,
        "exit_code": running.wait(TIMEOUT),
    }


def keep(measured: dict[str, Any]) -> None:
    """Print what was measured; write it if all answers were right."""
    print(json.dumps(measured, indent=1))
    loads, end = measured["loads"], measured["terminated"]
    wrong = any(each["lost"] or each["worst_relative_difference"] > TOLERANCE for each in loads)
    if wrong or end["answered"] < end["waiting"]:
        raise SystemExit("an answer was lost or wrong: nothing is written")
    (HERE / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")


def main() -> None:
    """Run the load test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="of each load")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32, 96])
    options = parser.parse_args()
    broken()  # takes seconds to make, which are none of a load's
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint, expected = prepare(folder)
        running, port = start(checkpoint, folder / "log.txt")
        other_load = os.getloadavg()[0]
        try:
            loads = [load(port, expected, count, options.seconds) for count in options.clients]
            rate = HELD * max(each["images_per_second"] for each in loads)
            loads.append(load(port, expected, HELD_CLIENTS, options.seconds, rate))
            end = terminate(running, port, expected)
        finally:
            running.kill()
        log = (folder / "log.txt").read_text()
    measured = {
        "model": {"name": "AnoGAN", **MODEL},
        "processor": environment("cpu")["processor"],
        "cores": available_cores(),
        "other_load": round(other_load, 1),
        "torch": torch.__version__,
        "scoring_threads": torch.get_num_threads(),  # as the service's, of the same environment
        "max_images": MAX_IMAGES,
        "broken_share": BROKEN,
        "loads": loads,
        "terminated": end,
        "tracebacks_in_log": log.count("Traceback"),
    }
    keep(measured)


if __name__ == "__main__":
    main()
