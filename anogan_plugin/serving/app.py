# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The HTTP service: what is taken, what is refused, what is counted."""

import asyncio
import base64
import contextlib
import hashlib
import html
import logging
import math
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from anogan_plugin.serving.inspector import Inspector
from anogan_plugin.serving.metrics import Metrics
from anogan_plugin.serving.unread import ClosingUnread

_LOGGER = logging.getLogger(__name__)
TYPES = frozenset(
    {"image/bmp", "image/jpeg", "image/png", "image/tiff", "application/octet-stream"}
)
"""Content types that are taken; what is in the image decides whether it is one."""


@dataclass(frozen=True)
class Limits:
    """What the service takes.

    Args:
        images: Images at a time that wait or are being scored. Further ones are answered 503.
        receiving: Bodies at a time that are being received, likewise. More than ``images``, so
            that clients who send slowly keep nobody from scoring; they hold ``body_bytes`` each.
        body_bytes: Largest body of a request.
        body_seconds: Longest time that a body may take to arrive.
    """

    images: int
    receiving: int
    body_bytes: int
    body_seconds: float = 30.0


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: Of HTTP.
        reason: For the client.
        headers: To add.
    """

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers


class Service:
    """The application.

    Args:
        inspector: Who looks at images.
        name: Of the model, for the page.
        limits: What is taken.
    """

    def __init__(self, inspector: Inspector, name: str, limits: Limits) -> None:
        self._inspector = inspector
        self._limits = limits
        self._taken = self._receiving = 0
        self._metrics = Metrics(lambda: self._taken, lambda: self._receiving)
        self._last_seconds = 1.0
        self._page, self._page_policy = _page(name)
        self._name = name
        self.app = Starlette(
            routes=[
                Route("/", self._show, methods=["GET"]),
                Route("/score", self._score, methods=["POST"]),
                Route("/health", self._health, methods=["GET"]),
                Route("/metrics", self._measured, methods=["GET"]),
            ],
            middleware=[Middleware(ClosingUnread, most=limits.body_bytes)],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(self._inspector.close)

    async def _score(self, request: Request) -> Response:
        begin = time.perf_counter()
        try:
            answer = await self._answer(request)
            response: Response = JSONResponse(answer)
            self._last_seconds = time.perf_counter() - begin
        except RefusedError as refused:
            response = JSONResponse({"error": refused.reason}, refused.status, refused.headers)
        except Exception:
            _LOGGER.exception("an image can't be scored")
            reason = "the image can't be scored: the log of the service says why"
            response = JSONResponse({"error": reason}, 500)
        self._metrics.answered(response.status_code, time.perf_counter() - begin)
        return response

    async def _answer(self, request: Request) -> dict[str, object]:
        with_map = _flag(request, "heat_map")
        self._check_room()
        if self._receiving >= self._limits.receiving:
            raise self._busy(f"{self._receiving} images are being received")
        self._receiving += 1
        try:
            encoded = await self._body(request)
        finally:
            self._receiving -= 1
        self._check_room()  # others may have come first
        self._taken += 1
        try:
            try:
                image = await asyncio.wrap_future(self._inspector.decode(encoded))
            except ValueError as error:
                raise RefusedError(422, str(error)) from error
            verdict = await asyncio.wrap_future(self._inspector.score(image))
            answer = await asyncio.to_thread(self._inspector.answer, verdict, with_map)
            self._metrics.scored(answer["label"], verdict.together)
            return answer
        finally:
            self._taken -= 1

    def _check_room(self) -> None:
        if self._taken >= self._limits.images:
            raise self._busy(f"{self._taken} images are being scored")

    def _busy(self, what: str) -> RefusedError:
        again = {"Retry-After": str(math.ceil(self._last_seconds))}
        reason = f"{what}, which is all that are taken at a time: send this one again later"
        return RefusedError(503, reason, **again)

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in TYPES:
            raise RefusedError(
                415, f"expected Content-Type {', '.join(sorted(TYPES))}, found {kind or 'none'}"
            )
        try:
            return await asyncio.wait_for(self._read(request), self._limits.body_seconds)
        except asyncio.TimeoutError as error:
            seconds = self._limits.body_seconds
            raise RefusedError(408, f"expected the image within {seconds:g} seconds") from error
        except ClientDisconnect as error:
            raise RefusedError(400, "the image did not arrive in full") from error

    async def _read(self, request: Request) -> bytes:
        most = self._limits.body_bytes
        too_large = RefusedError(413, f"expected an image of at most {most:,} bytes")
        if int(request.headers.get("content-length", 0)) > most:
            raise too_large
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise too_large
        return bytes(body)

    async def _health(self, _: Request) -> Response:
        alive = self._inspector.alive
        state = {"status": "ok" if alive else "scoring has ended", "model": self._name}
        return JSONResponse(state, 200 if alive else 503)

    async def _measured(self, _: Request) -> Response:
        return Response(self._metrics.exposition(), media_type=self._metrics.media_type)

    async def _show(self, _: Request) -> Response:
        policy = {"Content-Security-Policy": self._page_policy, "X-Frame-Options": "DENY"}
        return HTMLResponse(self._page, headers={**policy, "Referrer-Policy": "no-referrer"})


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise RefusedError(400, f"expected {name}=true or {name}=false, found {value[:20]!r}")
    return value in ("true", "1")


def _page(name: str) -> tuple[str, str]:
    """The page at /, and the policy by which nothing runs but what is in it."""
    template = files("anogan_plugin.serving").joinpath("page.html").read_text(encoding="utf-8")
    page = template.replace("{{ model }}", html.escape(name))

    def hashes(tag: str) -> str:
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return page, (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; "
        "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
