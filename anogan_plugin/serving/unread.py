# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Bodies that nobody has read when their request is answered."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = 1.0
"""How long a client whose request is refused may still send, before its answer."""


class ClosingUnread:
    """Closes the connection of a client that goes on sending what nobody reads.

    What is left of a body is dropped first, for a moment: a client that sends all before it reads
    would not see the answer otherwise, and one that has sent all keeps its connection.

    Args:
        app: The application.
        most: Bytes that are dropped at most.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.drop(self._most):
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, body.receive, answer)


class _Body:
    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._ended = False
        # Asking for the body would tell such a client to send it.
        self._asks_first = (b"expect", b"100-continue") in scope["headers"]

    async def receive(self) -> Message:
        message = await self._receive()
        self._asks_first = False
        self._ended = not message.get("more_body", False)
        return message

    async def drop(self, most: int) -> bool:
        """Read on; returns whether that was all."""
        if self._asks_first:
            return False
        try:
            await asyncio.wait_for(self._drop(most), _SECONDS)
        except asyncio.TimeoutError:
            return False
        return self._ended

    async def _drop(self, most: int) -> None:
        while not self._ended and most > 0:
            message = await self.receive()
            most -= len(message.get("body", b""))
