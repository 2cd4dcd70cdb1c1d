"""Refusals of requests: messages for a person in the language of the page, messages for a program in English."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from limpide.core.errors import LimpideError, RunError, sentences
from limpide.inspector.json_encoding import DAMAGE, AsciiJson
from limpide.text import messages
from limpide.text.language import LANGUAGES, use_language
from limpide.text.messages import N_, Message, message
from limpide.workflows.info import log_error


def use_page_language(request: Request) -> None:
    """Use the language of the page for this answer. There must be no `await` between this and its sentences."""
    lang = request.query_params.get("lang", "en")
    use_language(lang if lang in LANGUAGES else "en")


def misused(text: str, status: int) -> Response:
    """The error of a program, in English: no page of limpide asks like that."""
    return AsciiJson({"error": text}, status)


def refused(request: Request, why: str | Message | Exception, status: int = 422) -> Response:
    """An error for a person to read. why: a msgid, or an object that str() translates."""
    use_page_language(request)
    return AsciiJson({"error": message_of(why)}, status)


def message_of(why: object) -> str:
    """The sentences of a refusal, for a page."""
    if isinstance(why, LookupError) and not isinstance(why, LimpideError) and len(why.args) == 1:
        (why,) = why.args  # from the process that inspects networks
    if isinstance(why, LimpideError):
        return why.sentences()
    return sentences(messages._(why) if isinstance(why, str) else str(why))


async def missing(request: Request, error: Exception) -> Response:
    return refused(request, error, 404)


async def damaged(request: Request, error: Exception) -> Response:
    return refused(request, message(N_("this run cannot be read: {reason}"), reason=type(error).__name__))


async def mistake(request: Request, error: Exception) -> Response:
    return refused(
        request,
        message(N_("this is an error in limpide itself; the details are in {file}"), file=str(log_error(error))),
        500,
    )


HANDLERS: dict[Any, Any] = {RunError: missing, **dict.fromkeys(DAMAGE, damaged), Exception: mistake}
