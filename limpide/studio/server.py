"""The server of the studio: its routes and answers. Loopback only; nothing is computed here.

A page is let in with the token of its link, which becomes a cookie; every request must come from this very address
(Host, and Origin where a browser sends one), so that no other page and no rebound name can ask. No CORS.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from limpide import __version__
from limpide.browser import STATIC
from limpide.core.errors import RunError, UsageError
from limpide.core.run import Run
from limpide.core.typed_json import to_plain_json
from limpide.inspector.json_encoding import FIRST, AsciiJson, choices, finding_in_words, findings_in_order, finite
from limpide.judging.registry import not_run
from limpide.report.html.page import headings, written_as
from limpide.studio import label_marks, launch_training
from limpide.studio.error_responses import HANDLERS, message_of, misused, refused, use_page_language
from limpide.studio.guard import Guard, PublicUrl
from limpide.studio.inspector_routes import InspectorRoutes
from limpide.studio.label_marks import UNSURE
from limpide.studio.launch_training import LaunchRequest
from limpide.studio.path_preview import PathPreview
from limpide.studio.requests import read_json, waits
from limpide.studio.series import RunHistory, summaries, summary
from limpide.studio.stream import tail
from limpide.text import messages
from limpide.text.language import LANGUAGES, current_language
from limpide.text.messages import N_
from limpide.text.page_sentences import page_sentences

PORTS = range(8765, 8785)
MAX_NAME = 4096  # letters of a file name
STORIES = 4  # runs whose events are kept in memory
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self' "
    "'nonce-{nonce}'; frame-ancestors 'none'"
)


class Studio:
    """The routes and their answers. `folder` holds the runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.words = current_language()  # of the user who started it; answers use the language of their page
        self.inspector = InspectorRoutes(self._run)
        self._stories: OrderedDict[str, RunHistory] = OrderedDict()
        self._starts = ThreadPoolExecutor(1)  # one training is started at a time
        self._closing = threading.Event()
        self._planner = PathPreview()

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.page),
            Route("/api/sentences", self.sentences),
            Route("/api/runs", self.runs),
            Route("/api/start", self.start, methods=["POST"]),
            Route("/api/plan", self.plan, methods=["POST"]),
            *self.inspector.routes(),
            Route("/api/runs/{run}", self.run),
            Route("/api/runs/{run}/series", self.series),
            Route("/api/runs/{run}/stats", self.stats),
            Route("/api/runs/{run}/events", self.events),
            Route("/api/runs/{run}/control", self.control, methods=["POST"]),
            Route("/api/runs/{run}/report", self.report),
            Route("/api/runs/{run}/findings", self.findings),
            Route("/api/runs/{run}/marks", self.marks, methods=["GET", "POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]

    # -- pages

    async def page(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        html = (
            (STATIC / "index.html").read_text(encoding="utf-8").replace("{nonce}", nonce).replace("{lang}", self.words)
        )
        return Response(html, media_type="text/html", headers={"content-security-policy": POLICY.format(nonce=nonce)})

    async def sentences(self, request: Request) -> Response:
        """All sentences of the pages, in every language: a page changes its language at once."""
        return AsciiJson({language: page_sentences(language) for language in LANGUAGES})

    # -- runs

    def _run(self, request: Request) -> Run:
        """Find the run by its name among the existing folders: a requested name never becomes a path, and no file of
        the run is outside its folder.
        """
        name = request.path_params["run"]
        with contextlib.suppress(OSError):
            for folder in self.folder.iterdir():
                if folder.name == name and (folder / "run.json").is_file():
                    run = Run(folder)
                    run.check_links()
                    return run
        raise RunError("L502", where=name)

    async def runs(self, request: Request) -> Response:
        use_page_language(request)
        return AsciiJson({"version": __version__, "folder": str(self.folder), "runs": summaries(self.folder)})

    async def start(self, request: Request) -> Response:
        """POST {data, model, time, epochs, image_size, weights}: `limpide train` in a separate process, which continues
        when the studio is closed.
        """
        wish = await self._wish(request)
        if isinstance(wish, Response):
            return wish
        if not wish.data:
            return misused("data: a folder, a table, an archive or the name of a data set", 400)
        use_page_language(request)
        lang = current_language()
        started = await asyncio.get_running_loop().run_in_executor(
            self._starts, launch_training.start, self.folder, wish, lang, self._closing
        )
        return refused(request, started.said) if started.run is None else AsciiJson({"run": started.run})

    async def plan(self, request: Request) -> Response:
        """For the same body: the command that `start` would run, what it would find or why it would refuse, and how the
        path may go on.
        """
        wish = await self._wish(request)
        if isinstance(wish, Response):
            return wish
        answer = {"command": wish.command(self.folder)} | await self._planner.ask(wish.data, waits(request))
        if "problem" in answer:
            use_page_language(request)
            answer["problem"] = message_of(answer["problem"])
        return AsciiJson(answer)

    async def _wish(self, request: Request) -> LaunchRequest | Response:
        """The request in the body, or a response that says why it is not one."""
        try:
            body = await read_json(request)
        except (ValueError, RecursionError):
            return misused("this is no JSON", 400)
        try:
            return LaunchRequest.of(body)
        except UsageError as error:
            return refused(request, error)
        except ValueError as error:
            return misused(str(error), 400)

    async def run(self, request: Request) -> Response:
        run = self._run(request)
        info = run.info()
        record = {
            name: to_plain_json(getattr(info, name))
            for name in ("recipe", "classes", "steps", "epochs", "phase", "machine", "final", "quote")
        }
        learning = info.learning
        probes = learning.probes if learning and run.probes_file.exists() else 0
        stage = info.final or learning
        use_page_language(request)
        here = {
            "snapshots": list(run.kept()),
            "best": info.final is not None,
            "probes": probes,
            "part": learning and learning.part,
            "first": info.frozen and info.frozen.accuracy,
            "sees": stage and stage.preprocessing,
            "fresh": info.fresh,
            "instead": info.instead,
            "worth": findings_in_order(run) if info.status == "finished" else [],
        }
        return AsciiJson(summary(run) | record | here | {"choices": choices()})

    async def series(self, request: Request) -> Response:
        run = self._run(request)
        use_page_language(request)
        return AsciiJson(self._story(run).told())

    def _story(self, run: Run) -> RunHistory:
        """The events of the run up to now; those of the last few requested runs are kept."""
        name = run.path.name
        story = self._stories.pop(name, None)
        self._stories[name] = story if story is not None and story.stands() else RunHistory(run)
        while len(self._stories) > STORIES:
            self._stories.popitem(last=False)
        return self._stories[name].read()

    async def stats(self, request: Request) -> Response:
        run = self._run(request)
        return AsciiJson({"stats": [finite(line) for line in run.lines(run.stats_file)]})

    async def findings(self, request: Request) -> Response:
        run = self._run(request)
        use_page_language(request)
        findings, titles = run.findings(), headings()
        # As on Live, a place that may decide comes before the other doubts; then the order of the report; last, the
        # findings on the images.
        doubted = FIRST in findings and findings[FIRST].verdict in ("bad", "warn")
        ranking = [FIRST, "accuracy", *titles] if doubted else ["accuracy", FIRST, *titles]
        order = sorted(findings, key=lambda name: ranking.index(name) if name in ranking else len(ranking))
        return AsciiJson(
            {
                "findings": [
                    finding_in_words(findings[name]) | {"title": messages._(titles[name]) if name in titles else ""}
                    for name in order
                ],
                "not_run": [
                    {"name": one.audit.name, "title": messages._(one.audit.question), "why": str(one.why)}
                    for one in not_run(run.info(), findings)
                ],
            }
        )

    async def marks(self, request: Request) -> Response:
        """The user's judgement of labels: marks.csv of the run, never the image files. POST {file, label, suggested};
        without a suggestion the mark is removed.
        """
        run = self._run(request)
        if request.method == "POST":
            try:
                mark = await read_json(request)
            except (ValueError, RecursionError):
                return misused("this is no JSON", 400)
            fields = ("file", "label", "suggested")
            if (
                not isinstance(mark, dict)
                or not all(isinstance(mark.get(name), str) for name in fields)
                or not mark["file"]
            ):
                return misused("file, label, suggested: three texts", 400)
            if mark["suggested"] not in ("", UNSURE, *(info := run.info()).classes, *info.only_tested):
                return misused(f"suggested: a class, {UNSURE}, or nothing", 400)
            if len(mark["file"]) > MAX_NAME or "\0" in mark["file"]:
                return misused("this is no name of a file", 400)
        try:
            if request.method == "POST":
                label_marks.mark(run, *(mark[name] for name in fields))
            return AsciiJson({"marks": label_marks.marks(run), "file": str(run.marks_file)})
        except LookupError as error:
            return refused(request, error)

    async def report(self, request: Request) -> Response:
        """The report as it was written; in another language, it is rendered again from the run. The file stays as it
        is.
        """
        run = self._run(request)
        if not run.report_file.exists():
            return refused(request, N_("this run has no report yet"), 404)
        headers = {"content-security-policy": "sandbox allow-scripts"}
        lang, written = request.query_params.get("lang"), written_as(run.report_file)
        if written is None or lang not in LANGUAGES or lang == written[0]:
            return FileResponse(run.report_file, headers=headers)
        try:
            page = await self.inspector.render_report(request, run, lang, images=written[1])
        except LookupError as error:
            return refused(request, error)
        return Response(page, media_type="text/html", headers=headers)

    # -- the stream

    async def events(self, request: Request) -> Response:
        """Server-sent events whose id is the place in events.jsonl: a reconnected page continues there."""
        run = self._run(request)
        use_page_language(request)
        words = current_language()
        last = request.headers.get("last-event-id") or request.query_params.get("offset", "0")
        offset, since = int(last) if last.isdecimal() else 0, request.query_params.get("epoch", "")
        lines = tail(
            run,
            offset,
            int(since) if since.isdecimal() else None,
            words,
            lambda: self._story(run),
            request.is_disconnected,
        )
        return StreamingResponse(lines, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def control(self, request: Request) -> Response:
        run = self._run(request)
        try:
            order = await read_json(request)
        except (ValueError, RecursionError):
            return misused("this is no JSON", 400)
        by = order.get("by") if isinstance(order, dict) else None
        if not isinstance(order, dict) or order.get("do") not in ("pause", "go", "stop", "rate", "snapshot"):
            return misused("do: pause, go, stop, rate or snapshot", 400)
        if order["do"] == "rate" and not (
            isinstance(by, (int, float)) and not isinstance(by, bool) and 0.01 <= by <= 100
        ):
            return misused("by: a factor between 0.01 and 100", 400)
        if not run.working() or run.info().phase != "fit":  # no other phase obeys an order
            return refused(request, N_("this run is not training"), 409)
        run.add_line(run.control_file, {"do": order["do"]} | ({"by": by} if order["do"] == "rate" else {}))
        return AsciiJson({"asked": order["do"]})

    def close(self) -> None:
        self.inspector.close()
        self._closing.set()
        self._planner.close()
        self._starts.shutdown(wait=False, cancel_futures=True)


def application(folder: Path, token: str, port: int, public: PublicUrl | None = None) -> tuple[ASGIApp, Studio]:
    studio = Studio(folder)
    app = Starlette(routes=studio.routes(), exception_handlers=HANDLERS)
    return Guard(app, token, port, public), studio


def listen(port: int | None) -> socket.socket:
    """Return a socket on loopback: this port, or the first free one. Raises UsageError when it is taken."""
    for number in [port] if port is not None else [*PORTS, 0]:
        # IPPROTO_TCP must be explicit, or asyncio leaves Nagle's delay of 40 ms on
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform != "win32":  # on Windows, this option lets two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
            listener.listen()  # at once: two sockets that are only bound may share a port
            return listener
        except OSError:
            listener.close()
    raise UsageError("L125", where=str(port))


def serve(folder: Path, sock: socket.socket, token: str, rest: float = 3.0, public: PublicUrl | None = None) -> None:
    """Serve until Ctrl-C. rest: s after which the process that inspects networks starts without a question, so that
    first requests come first. public: where a proxy shows the studio.
    """
    import uvicorn

    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.nice(5)  # a training on the same machine has priority
    app, studio = application(folder, token, sock.getsockname()[1], public)
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1, server_header=False
    )
    warming = threading.Timer(rest, studio.inspector.quick.warm)
    warming.daemon = True
    warming.start()
    try:
        uvicorn.Server(config).run(sockets=[sock])
    finally:
        studio.close()
