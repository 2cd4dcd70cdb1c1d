"""The link with the token leads to this server, whatever its path is."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.responses import Response

from limpide.core.errors import UsageError
from limpide.studio.guard import Guard, PublicUrl

TOKEN, PORT = "a-token", 8765
HERE = f"http://127.0.0.1:{PORT}"


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("it is let in by a redirect alone")


def location(path: str, query: str) -> str:
    """Where a request for this path (decoded, as a server hands it on) is sent to."""
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
    }
    scope |= {"server": ("127.0.0.1", PORT), "headers": [(b"host", f"127.0.0.1:{PORT}".encode())]}
    asyncio.run(Guard(nothing, TOKEN, PORT)(scope, lambda: asyncio.sleep(0), send))  # type: ignore[arg-type,return-value]
    assert told[0]["status"] == 303
    return dict(told[0]["headers"])[b"location"].decode("latin-1")


def as_a_browser_reads_it(address: str) -> str:
    """WHATWG URL: tabs and line breaks go, a backslash is a slash."""
    return urljoin(HERE + "/somewhere", "".join(c for c in address if c not in "\t\r\n").replace("\\", "/"))


@pytest.mark.parametrize(
    "path",
    [
        "//evil.com/",
        "///evil.com",
        "/\\evil.com",
        "\\\\evil.com/",
        "/\t/evil.com",
        "/\r\n/evil.com",
        "/ /evil.com",
        "//evil.com:80/a?b",
        "/./\\/evil.com",
        "/",
    ],
)
def test_the_way_in_stays_on_this_server(path: str) -> None:
    sent = as_a_browser_reads_it(location(path, f"token={TOKEN}"))
    assert urlsplit(sent).netloc == f"127.0.0.1:{PORT}" and sent.startswith(HERE + "/") and TOKEN not in sent


@pytest.mark.parametrize(
    ("path", "query", "sent"),
    [
        ("/", f"token={TOKEN}", "/"),
        ("/", f"token={TOKEN}&lang=fr", "/?lang=fr"),
        ("/api/runs", f"lang=fr&token={TOKEN}", "/api/runs?lang=fr"),
        ("/api/runs/été 1", f"token={TOKEN}", "/api/runs/%C3%A9t%C3%A9%201"),
    ],
)
def test_the_rest_of_the_address_stays(path: str, query: str, sent: str) -> None:
    assert location(path, query) == sent


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://hub.example/user/me/proxy/8501/", "/user/me/proxy/8501/"),
        ("http://hub.example:8000/a/b", "/a/b/"),
        ("https://hub.example", "/"),
        ("https://hub.example//evil//", "/evil/"),
        ("https://hub.example/user/me@x.org/proxy/8501/", "/user/me@x.org/proxy/8501/"),
        ("https://hub.example/user/me%40x.org/", "/user/me@x.org/"),
        ("https://hub.example/été/", "/%C3%A9t%C3%A9/"),
    ],
)
def test_a_public_address_is_host_and_path(url: str, path: str) -> None:
    public = PublicUrl.parse(url)
    assert public.path == path and str(public).startswith(url.split("//", 1)[0] + "//" + public.host + "/")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://HUB.example:443/", "hub.example"),
        ("http://hub.example:80/", "hub.example"),
        ("http://hub.example:443/", "hub.example:443"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://[::1]:8000/a/", "[::1]:8000"),
    ],
)
def test_its_host_is_written_as_browsers_write_it(url: str, host: str) -> None:
    assert PublicUrl.parse(url).host == host


@pytest.mark.parametrize(
    "url",
    ["", "hub.example/a", "ftp://hub.example/", "https://", "https://a:b@hub.example/", "https://hub.example/?a", "http://[",
     "https://hub.example/#a", "javascript:alert(1)", "https://hub.example/a b/", "https://hub.example:0/", "http://a:b/",
     "https://:pw@hub.example/", "https://@hub.example/", "https://hub ex/", "https://hub.example/a/../b/", "https://hub.example/static/"],
)  # fmt: skip
def test_what_is_no_public_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="L176"):
        PublicUrl.parse(url)


def test_the_cookie_of_a_public_address_is_for_its_path_alone() -> None:
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    guard = Guard(nothing, TOKEN, PORT, PublicUrl.parse("https://hub.example/user/me/"))  # type: ignore[arg-type]
    scope = {"type": "http", "method": "GET", "path": "/user/me/", "root_path": "", "scheme": "http"}
    scope |= {"query_string": f"token={TOKEN}".encode(), "server": ("127.0.0.1", PORT)}
    scope |= {"headers": [(b"host", b"hub.example"), (b"origin", b"https://hub.example")]}
    asyncio.run(guard(scope, lambda: asyncio.sleep(0), send))  # type: ignore[arg-type,return-value]
    headers = dict(told[0]["headers"])
    assert headers[b"location"] == b"/user/me/"
    assert {b"Path=/user/me/", b"Secure", b"HttpOnly"} <= {part.strip() for part in headers[b"set-cookie"].split(b";")}


@pytest.mark.parametrize(
    ("path", "raw", "handed_on", "raw_on"),
    [
        ("/user/me@x.org/été/api/runs", b"/user/me%40x.org/%C3%A9t%C3%A9/api/runs", "/api/runs", b"/api/runs"),
        ("/user/me@x.org/été/api/a b", b"/user/me@x.org/%C3%A9t%C3%A9/api/a%20b", "/api/a b", b"/api/a%20b"),
        ("/user/me@x.org/été/", b"/user/me@x.org/%c3%a9t%c3%a9/", "/", b"/"),
        ("/user/me@x.org/été", b"/user/me@x.org/%C3%A9t%C3%A9", "/", b"/"),
        ("/api/runs", b"/api/runs", "/api/runs", b"/api/runs"),
        ("/user/me@x.org/étés/", b"/user/me@x.org/%C3%A9", "/user/me@x.org/étés/", b"/user/me@x.org/%C3%A9"),
    ],
)  # fmt: skip
def test_a_prefix_is_cut_off_as_any_proxy_writes_it(path: str, raw: bytes, handed_on: str, raw_on: bytes) -> None:
    public = PublicUrl.parse("https://hub.example/user/me@x.org/été/")
    cut = Guard(nothing, TOKEN, PORT, public)._without_prefix({"path": path, "raw_path": raw})  # type: ignore[arg-type]
    assert (cut["path"], cut["raw_path"]) == (handed_on, raw_on)


@pytest.mark.parametrize(
    ("port", "host", "status"),
    [
        (80, "127.0.0.1", 200),
        (80, "127.0.0.1:80", 200),
        (80, "localhost", 200),
        (8765, "127.0.0.1:8765", 200),
        (8765, "127.0.0.1", 403),
        (8765, "127.0.0.1:80", 403),
        (443, "localhost", 403),
    ],
)
def test_a_page_comes_from_this_port(port: int, host: str, status: int) -> None:
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await Response("page")(scope, receive, send)

    scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "scheme": "http", "query_string": b""}
    scope |= {"headers": [(b"host", host.encode()), (b"cookie", f"limpide-{port}={TOKEN}".encode())]}
    asyncio.run(Guard(page, TOKEN, port)(scope, lambda: asyncio.sleep(0), send))  # type: ignore[arg-type,return-value]
    assert told[0]["status"] == status
