"""An ASGI application asked in this process by what speaks HTTP: its real answers, without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

__all__ = ["InProcess"]


class InProcess(httpx.BaseTransport):
    """Carries requests to an application."""

    def __init__(self, app: Any) -> None:
        self.app = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await self.app.handle_async_request(sent)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return asyncio.run(ask())
