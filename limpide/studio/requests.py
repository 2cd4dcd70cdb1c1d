"""The contents of a request, and whether its page still waits."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request

MAX_JSON_BYTES = 10_000


async def read_body(request: Request, most: int) -> bytes:
    """Raises ValueError when the body exceeds `most` bytes; no more than that is held in memory."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise ValueError("too large")
    return bytes(data)


async def read_json(request: Request) -> Any:
    """Raises ValueError or RecursionError for invalid JSON, or for too much."""
    return json.loads(await read_body(request, MAX_JSON_BYTES))


def address_of(request: Request) -> str:
    """The address as the page wrote it."""
    return f"{request.scope['raw_path'].decode('ascii')}?{request.scope['query_string'].decode('ascii')}"


def waits(request: Request) -> Callable[[], Awaitable[bool]]:
    """Return a function that says whether the page still waits for its answer."""

    async def is_connected() -> bool:
        return not await request.is_disconnected()

    return is_connected
