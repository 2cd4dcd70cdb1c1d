"""Whether a file that the user gave is an image: it is decoded once before any page uses it."""

from __future__ import annotations

from limpide.data.decoding import decode
from limpide.data.decoding.decode import Undecodable, decode_with_remarks
from limpide.inspector.answer import Answer
from limpide.inspector.session import Session
from limpide.text.messages import N_, Message, message

AGAIN = N_("{reason}: copy it again from its source")
SAVE = N_("{reason}: save the image as PNG or JPEG, and use that file")
LARGER = N_(
    "{reason}: use an image of at least {least} pixels on each side, whose longer side is at most {most} "
    "times the shorter"
)
SMALLER = N_("{reason}: make it smaller")
# Remedies by reason. A reason that is not here contains its own remedy.
REMEDIES = {
    **dict.fromkeys((decode.EMPTY, decode.CUT_SHORT), AGAIN),
    **dict.fromkeys(
        (
            decode.WEB_PAGE,
            decode.DOCUMENT,
            decode.NOT_AN_IMAGE,
            decode.NOT_FINITE,
            decode.TOO_MANY_CHANNELS,
            decode.UNREADABLE,
        ),
        SAVE,
    ),
    decode.TOO_SMALL: LARGER,
    decode.TOO_LARGE: SMALLER,
}


def check_upload(session: Session, data: bytes) -> Answer:
    """Raises LookupError with the fault of this file and the next step."""
    try:
        decode_with_remarks(data, look=False)
    except Undecodable as error:
        raise LookupError(_refusal(error.reason)) from error
    return {}, b""


def _refusal(reason: str) -> Message:
    why = message(reason)
    return (
        message(REMEDIES[reason], reason=why, least=decode.MIN_SIDE, most=decode.MAX_ASPECT_RATIO)
        if reason in REMEDIES
        else why
    )
