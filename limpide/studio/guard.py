"""Access control: a page needs the token of its link, which becomes a cookie, and must come from this address or from
the one under which a proxy shows the studio.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from limpide.core.errors import UsageError


@dataclass(frozen=True)
class PublicUrl:
    """The address under which a proxy shows the studio."""

    scheme: str  # http or https
    host: str  # with its port, where it has one
    path: str  # begins and ends with /

    @classmethod
    def parse(cls, url: str) -> PublicUrl:
        """Raises UsageError for text that is not the address of a page, or contains more than the address."""
        try:
            parts = urlsplit(url)
            is_page = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_page = False
        if (
            not is_page
            or parts.username
            or parts.query
            or parts.fragment
            or not re.fullmatch(r"[\w./~%-]*", parts.path)
        ):
            raise UsageError("L176", where=url)
        return cls(parts.scheme, parts.netloc, "/" + f"{parts.path.strip('/')}/".lstrip("/"))

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


class Guard:
    """Refuses every request that does not come from a page of this server, opened with its link."""

    def __init__(self, app: ASGIApp, token: str, port: int, public: PublicUrl | None = None) -> None:
        self.app, self.token, self.public = app, token, public
        self.path = public.path if public else "/"
        self.cookie = f"limpide-{port}"  # cookies have no port: two studios must not overwrite each other's
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"} | ({public.host} if public else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].startswith(self.path):  # for a proxy that passes on its own path, too
            scope = {**scope, "path": "/" + scope["path"][len(self.path) :]}
        request = Request(scope)
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in self.hosts or (origin is not None and origin not in self._origins(host)):
            return await Response("403: this address is not served", 403)(scope, receive, send)
        token = request.query_params.get("token")
        if token is not None and secrets.compare_digest(token.encode(), self.token.encode()):
            answer = RedirectResponse(self._here(request), 303)
            secure = self.public is not None and self.public.scheme == "https"
            answer.set_cookie(self.cookie, self.token, path=self.path, secure=secure, httponly=True, samesite="strict")
            return await answer(scope, receive, send)
        if not secrets.compare_digest(request.cookies.get(self.cookie, "").encode(), self.token.encode()):
            return await Response("403: open the studio with the link that limpide studio prints", 403)(
                scope, receive, send
            )
        return await self.app(scope, receive, send)

    def _origins(self, host: str) -> set[str]:
        """Origins of pages that may ask. A proxy may replace its name in `host` by ours."""
        public = self.public
        if public and host == public.host:
            return {f"{public.scheme}://{public.host}"}
        return {f"http://{host}"} | ({f"{public.scheme}://{public.host}"} if public else set())

    def _here(self, request: Request) -> str:
        """The same address without the token, on this server: a path that begins with two slashes would name another
        server, and browsers read a backslash as a slash and ignore tabs and line breaks.
        """
        query = request.url.remove_query_params("token").query
        path = quote(self.path + request.url.path.translate(dict.fromkeys(range(32))).lstrip("/\\"), safe="/%")
        return f"{path}?{query}" if query else path
