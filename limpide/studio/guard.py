"""Access control: a page needs the token of its link, which becomes a cookie, and must come from this address or from
the one under which a proxy shows the studio.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from limpide.core.errors import UsageError

HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")
PORTS = {"http": 80, "https": 443}  # that browsers leave out
IN_PATHS = "@:+,=~!$&'()*"  # that browsers leave as they are


@dataclass(frozen=True)
class PublicUrl:
    """Where a proxy shows the studio."""

    scheme: str  # http or https
    host: str  # as browsers write it: lower case, with its port unless it is the usual one
    path: str  # begins and ends with /, percent-encoded

    @classmethod
    def parse(cls, url: str) -> PublicUrl:
        """Raises UsageError for what is not the address of a page, or says more than where it is."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        except ValueError:  # UnicodeError, too
            raise UsageError("L176", where=url) from None
        host = f"[{host}]" if ":" in host else host
        segments = [unquote(segment) for segment in parts.path.split("/") if segment]
        is_page = parts.scheme in PORTS and HOST.fullmatch(host) and port != 0
        says_more = "@" in parts.netloc or parts.query or parts.fragment
        is_odd = any(one in (".", "..") or "/" in one or not one.isprintable() or " " in one for one in segments)
        if not is_page or says_more or is_odd or segments in (["api"], ["static"]):
            raise UsageError("L176", where=url)
        path = "/" + "".join(f"{quote(segment, safe=IN_PATHS)}/" for segment in segments)
        return cls(parts.scheme, host if port in (None, PORTS[parts.scheme]) else f"{host}:{port}", path)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


class Guard:
    """Refuses every request that does not come from a page of this server, opened with its link."""

    def __init__(self, app: ASGIApp, token: str, port: int, public: PublicUrl | None = None) -> None:
        self.app, self.token, self.public = app, token, public
        self.path = public.path if public else "/"
        self.cookie = f"limpide-{port}"  # cookies have no port: two studios must not overwrite each other's
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")} | ({public.host} if public else set())
        self.hosts |= {"127.0.0.1", "localhost"} if port == PORTS["http"] else set()  # browsers leave 80 out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope = self._without_prefix(scope)
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

    def _without_prefix(self, scope: Scope) -> Scope:
        """Cuts off our public path, where a proxy hands it on."""
        prefix, path = unquote(self.path), scope["path"]
        if path + "/" == prefix:
            path += "/"
        if not path.startswith(prefix):
            return scope
        slashes = prefix.count("/")  # a proxy may encode other characters of the prefix than we do
        raw = b"/" + b"".join(scope.get("raw_path", b"").split(b"/", slashes)[slashes:])
        return {**scope, "path": "/" + path[len(prefix) :], "raw_path": raw}

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
        rest = request.url.path.translate(dict.fromkeys(range(32))).lstrip("/\\")
        path = self.path + quote(rest, safe="/%")
        return f"{path}?{query}" if query else path
