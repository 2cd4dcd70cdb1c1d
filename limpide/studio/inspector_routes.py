"""Requests to the processes that inspect networks: questions about a run, uploads, the list of networks."""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.inspector.json_encoding import AsciiJson, finding_in_words, finite
from limpide.inspector.model_list import networks
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.report import report
from limpide.inspector.upload import check_upload
from limpide.studio.error_responses import misused, refused, use_page_language
from limpide.studio.inspector_process import InspectorProcess
from limpide.studio.requests import address_of, read_body, waits
from limpide.text.messages import N_, message

MAX_UPLOAD_BYTES = 100_000_000  # bytes of one uploaded file: a photograph of 12 megapixels is 36 MB as PNG
MAX_UPLOADS_BYTES = 200_000_000  # of all uploads in memory; the newest is kept, however large
MAX_UPLOADS = 20  # in memory


class InspectorRoutes:
    """find_run: returns the run that a request names. Raises RunError."""

    def __init__(self, find_run: Callable[[Request], Run]) -> None:
        self._find_run = find_run
        self.quick, self.slow = InspectorProcess(), InspectorProcess()
        self._uploads: OrderedDict[str, bytes] = OrderedDict()

    def routes(self) -> list[Route]:
        return [
            Route("/api/networks", self.networks),
            Route("/api/runs/{run}/look/{what}", self.look),
            Route("/api/at-work", self.at_work),
            Route("/api/upload", self.upload, methods=["POST"]),
        ]

    async def networks(self, request: Request) -> Response:
        """The networks that a training can use."""
        try:
            return AsciiJson((await self.slow.ask(networks, waits(request)))[0])
        except LookupError as error:
            return refused(request, error)

    async def look(self, request: Request) -> Response:
        """A question (inspector/questions.py): its values come in the query, its bytes are returned unchanged."""
        run, query = self._find_run(request), request.query_params
        question = QUESTIONS.get(request.path_params["what"])
        if question is None:
            return refused(request, N_("there is nothing of this name to show"), 404)
        try:
            values = question.values(query, self._uploads)
        except (ValueError, KeyError, RecursionError):
            return refused(
                request, N_("this address asks for an image, a position or a number that cannot be read"), 400
            )
        except LookupError as error:  # after KeyError, which is a LookupError, too
            return refused(request, error)
        if missing := question.missing(values):
            return misused(f"this question needs {', '.join(missing)}", 400)
        process, address = self.slow if question.is_slow else self.quick, address_of(request)
        try:
            payload, data = await process.ask(question.answer, waits(request), address, path=str(run.path), **values)
        except LookupError as error:
            return refused(request, error)
        use_page_language(request)
        return _response(payload, data, question.media_type)

    async def at_work(self, request: Request) -> Response:
        """The questions that are being answered, with their progress, and those in the queue."""
        processes = (self.quick, self.slow)
        answering = [asdict(process.at_work) | {"waits": False} for process in processes if process.at_work.of]
        return AsciiJson(
            answering + [{"of": of, "waits": True} for process in processes for of in process.waiting if of]
        )

    async def upload(self, request: Request) -> Response:
        """A photograph or a drawing, accepted if it can be decoded; kept in memory until newer ones replace it."""
        try:
            data = await read_body(request, MAX_UPLOAD_BYTES)
        except ValueError:
            return refused(
                request,
                message(
                    N_("the file is larger than {size:bytes}: save the image as JPEG, or make it smaller"),
                    size=MAX_UPLOAD_BYTES,
                ),
                413,
            )
        try:
            await self.quick.ask(check_upload, waits(request), data=data)
        except LookupError as error:
            return refused(request, error)
        return AsciiJson({"image": self.keep(data)})

    def keep(self, data: bytes) -> str:
        """Keep these bytes and return the name under which they are found."""
        name = "drop-" + secrets.token_hex(8)
        self._uploads[name] = data
        while len(self._uploads) > MAX_UPLOADS or (
            len(self._uploads) > 1 and sum(map(len, self._uploads.values())) > MAX_UPLOADS_BYTES
        ):
            self._uploads.popitem(last=False)
        return name

    async def render_report(self, request: Request, run: Run, lang: str, images: bool) -> bytes:
        """The report of a run in another language than that in which it was written. Raises LookupError."""
        _, page = await self.quick.ask(report, waits(request), path=str(run.path), lang=lang, images=images)
        return page

    def close(self) -> None:
        self.quick.close()
        self.slow.close()


def _response(payload: dict[str, Any], data: bytes, media_type: str) -> Response:
    if isinstance(payload.get("finding"), dict):
        payload["finding"] = finding_in_words(Finding.from_json(payload["finding"]))
    if not data:
        return AsciiJson(payload)
    headers = {"x-about": json.dumps(finite(payload)), "cache-control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)
