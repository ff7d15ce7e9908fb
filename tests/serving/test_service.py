# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The service over HTTP: answers, refusals, overload, and that nothing is lost."""

import base64
import contextlib
import hashlib
import http.client
import io
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from anogan_plugin.data.image_io import encode_png
from anogan_plugin.serving.app import Limits
from tests.archive.small import grey
from tests.serving.client import BATCH, TIMEOUT, Brightness, ask, metric, serving

LIMITS = Limits(images=64, receiving=64, body_bytes=50_000)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(Brightness(), LIMITS, threshold=0.5, name="<i>model</i>") as port:
        yield port


def test_an_image_is_scored_and_labelled(port: int) -> None:
    for level, label in ((51, "accepted"), (204, "rejected")):
        answer = ask(port, "POST", "/score", grey(level))
        assert answer.status == 200
        assert answer.json["score"] == pytest.approx(level / 255)
        assert answer.json["parts"] == {"half": pytest.approx(level / 510)}
        assert answer.json["label"] == label
        assert "heat_map" not in answer.json


def test_without_a_threshold_there_is_no_label() -> None:
    with serving(Brightness(), LIMITS) as port:
        assert ask(port, "POST", "/score", grey(204)).json["label"] is None


def test_heat_map_is_a_picture_of_the_map(port: int) -> None:
    pixels = np.full((6, 9), 51, np.uint8)
    pixels[2, 7] = 102
    answer = ask(port, "POST", "/score?heat_map=true", encode_png(pixels)).json
    assert answer["heat_map_range"] == pytest.approx([0.2, 0.4])
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["heat_map"]))))
    assert picture.shape == (6, 9, 3)
    bright = picture.astype(int).sum(2)
    assert np.unravel_index(bright.argmax(), bright.shape) == (2, 7)
    assert (np.delete(bright.ravel(), 2 * 9 + 7) == bright[0, 0]).all()
    assert (
        ask(port, "POST", "/score?heat_map=true", grey(51)).json["heat_map_range"]
        == [pytest.approx(0.2)] * 2
    )


def _bomb() -> bytes:
    file = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(file, "PNG")
    return file.getvalue()


def _gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "path", "status", "reason"),
    [
        (b"", "image/png", "", 422, "the image is not a BMP or JPEG or PNG or TIFF file"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 99, "image/png", "", 422, "the image"),
        (grey(9, side=64)[:-30], "image/png", "", 422, "the image cannot be read"),
        (b"<svg/>", "image/png", "", 422, "the image is not a"),
        (_gif(), "image/png", "", 422, "the image is not a"),
        (_bomb(), "image/png", "", 422, "9,000 x 9,000 pixels, expected 10,000 at most"),
        (b"0" * 50_001, "image/png", "", 413, "at most 50,000 bytes"),
        (iter([b"0" * 1_000] * 90), "image/png", "", 413, "at most 50,000 bytes"),
        (grey(9), "image/svg+xml", "", 415, "found image/svg+xml"),
        (grey(9), None, "", 415, "found none"),
        (grey(9), "image/png", "?heat_map=perhaps", 400, "expected heat_map=true"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cant_be_scored_is_refused_with_its_reason(
    port: int, body: object, kind: str | None, path: str, status: int, reason: str
) -> None:
    answer = ask(port, "POST", f"/score{path}", body, kind)
    assert answer.status == status
    assert reason in answer.json["error"]
    assert "0x" not in answer.json["error"]
    assert ask(port, "POST", "/score", grey(51)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/score", 405),
        ("PUT", "/", 405),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/score/../page.html", 404),
        ("GET", "//etc/passwd", 404),
        ("GET", "/docs", 404),
    ],
)
def test_there_is_nothing_else(port: int, method: str, path: str, status: int) -> None:
    assert ask(port, method, path).status == status


@pytest.mark.parametrize(
    "head",
    [
        b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: many\r\n",
        b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: -1\r\n",
        b"POST /score HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    ],
    ids=["length of letters", "negative length", "endless head", "TLS"],
)
def test_what_is_not_http_is_refused(port: int, head: bytes) -> None:
    closed = contextlib.suppress(ConnectionError)
    with closed, socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(head + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert ask(port, "POST", "/score", grey(51)).status == 200


def test_a_client_that_leaves_and_one_that_dawdles_take_no_place() -> None:
    limits = Limits(images=1, receiving=1, body_bytes=1_000, body_seconds=0.3)
    with serving(Brightness(), limits) as port:
        head = _head(9)
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as leaving:
            leaving.sendall(head + b"123")
        while metric(port, 'anomalib_requests_total{status="400"}') != 1:
            pass
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as dawdling:
            dawdling.sendall(head + b"123")
            assert dawdling.recv(1000).startswith(b"HTTP/1.1 408")
        assert ask(port, "POST", "/score", grey(51)).status == 200
        assert metric(port, "anomalib_images_taken") == 0
        assert metric(port, "anomalib_images_receiving") == 0


def _head(length: int, *more: str, path: str = "/score") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: image/png"]
    return "\r\n".join([*lines, f"Content-Length: {length}", *more, "", ""]).encode()


def test_clients_that_say_nothing_keep_nobody_from_scoring() -> None:
    limits = Limits(images=1, receiving=3, body_bytes=1_000)
    with serving(Brightness(), limits) as port, contextlib.ExitStack() as silent:
        for count in (1, 2, 3):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
            silent.enter_context(connection).sendall(_head(9))
            while metric(port, "anomalib_images_receiving") != count:
                pass
            answer = ask(port, "POST", "/score", grey(51))
            assert answer.status == (200 if count < 3 else 503)
        assert "3 images are being received" in answer.json["error"]
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("path", "status"), [("/score", b"413"), ("/nowhere", b"404")])
def test_a_client_that_sends_without_end_is_cut_off(port: int, path: str, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as endless:
        endless.sendall(_head(10**12, path=path))
        with pytest.raises(ConnectionError):
            endless.sendall(b"0" * 100_000_000)
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as waiting:
        waiting.sendall(_head(10**12, path=path))
        said = b"".join(iter(lambda: waiting.recv(1_000), b""))  # until it is closed
    assert said.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in said
    assert ask(port, "POST", "/score", grey(51)).status == 200


def test_who_asks_before_sending_too_much_is_told_at_once(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as asking:
        asking.sendall(_head(10**9, "Expect: 100-continue"))
        assert asking.recv(1_000).startswith(b"HTTP/1.1 413")


def test_overload_is_answered_503_and_what_was_taken_is_scored() -> None:
    scorer = Brightness()
    with serving(scorer, Limits(6, 6, 1_000)) as port, ThreadPoolExecutor() as pool:
        assert scorer.entered.acquire(timeout=TIMEOUT)  # the trial before anybody comes
        scorer.gate.clear()
        taken = [pool.submit(ask, port, "POST", "/score", grey(50))]
        assert scorer.entered.acquire(timeout=TIMEOUT)
        taken += [pool.submit(ask, port, "POST", "/score", grey(51 + i)) for i in range(5)]
        while metric(port, "anomalib_images_taken") != 6:
            pass
        refused = ask(port, "POST", "/score", grey(9))
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "6 images are being scored" in refused.json["error"]
        assert ask(port, "GET", "/health").status == 200
        scorer.gate.set()
        answers = [each.result(TIMEOUT) for each in taken]
        assert [answer.status for answer in answers] == [200] * 6
        assert [answer.json["score"] for answer in answers] == [
            pytest.approx((50 + i) / 255) for i in range(6)
        ]
        # One came alone; of the five that came meanwhile, four went together.
        together = "anomalib_images_together_bucket{le="
        assert metric(port, f'{together}"1.0"}}') == 2
        assert metric(port, f'{together}"{float(BATCH)}"}}') == 6
        assert ask(port, "POST", "/score", grey(9)).status == 200


def test_a_call_that_fails_fails_alone() -> None:
    with serving(Brightness(), LIMITS) as port:
        failed = ask(port, "POST", "/score", grey(255))
        assert failed.status == 500
        assert "white" not in failed.json["error"]
        assert ask(port, "POST", "/score", grey(51)).status == 200
        assert ask(port, "GET", "/health").json == {"status": "ok", "model": "model"}


def test_everybody_gets_the_answer_to_the_own_image(port: int) -> None:
    levels = list(range(0, 250, 2)) * 2
    before = metric(port, 'anomalib_requests_total{status="200"}')
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda level: ask(port, "POST", "/score", grey(level)), levels))
    assert [answer.status for answer in answers] == [200] * len(levels)
    assert [answer.json["score"] for answer in answers] == pytest.approx(
        [level / 255 for level in levels]
    )
    assert metric(port, 'anomalib_requests_total{status="200"}') == before + len(levels)


def test_page_is_self_contained_and_escaped(port: int) -> None:
    page = ask(port, "GET", "/")
    text = page.body.decode()
    assert page.status == 200
    assert "&lt;i&gt;model&lt;/i&gt;" in text
    assert "<i>" not in text
    assert not re.findall(r"(?:src|href)=|https?:|innerHTML|//", text)
    policy = page.headers["content-security-policy"]
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_connection_is_kept_for_the_next_image(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    for level in (51, 102):
        connection.request("POST", "/score", grey(level), {"Content-Type": "image/png"})
        response = connection.getresponse()
        assert f"{level / 255:.3f}" in response.read().decode()
        assert not response.will_close
    connection.request("POST", "/score", grey(51), {"Content-Type": "text/html"})
    response = connection.getresponse()
    assert response.status == 415
    assert not response.will_close  # all of it had been sent
    connection.close()
