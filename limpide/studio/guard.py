"""Who is let in: a page with the token of its link, which becomes a cookie, from this very address."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Guard:
    """Refuses every request that does not come from a page of this server, opened with its link."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in self.hosts or (origin is not None and origin != f"http://{host}"):
            return await Response("403: this address is not served", 403)(scope, receive, send)
        token = request.query_params.get("token")
        if token is not None and secrets.compare_digest(token.encode(), self.token.encode()):
            answer = RedirectResponse(_here(request), 303)
            answer.set_cookie(self._cookie(host), self.token, httponly=True, samesite="strict")
            return await answer(scope, receive, send)
        if not secrets.compare_digest(request.cookies.get(self._cookie(host), "").encode(), self.token.encode()):
            return await Response("403: open the studio with the link that limpide studio prints", 403)(
                scope, receive, send
            )
        return await self.app(scope, receive, send)

    @staticmethod
    def _cookie(host: str) -> str:
        return "limpide-" + host.rsplit(":", 1)[-1]  # cookies know no ports: two studios must not take each other's


def _here(request: Request) -> str:
    """The same address without the token, on this very server: a path that begins with two slashes would name another
    one, and browsers read a backslash as a slash and pass over tabs and line breaks.
    """
    query = request.url.remove_query_params("token").query
    path = quote("/" + request.url.path.translate(dict.fromkeys(range(32))).lstrip("/\\"), safe="/%")
    return f"{path}?{query}" if query else path
