"""The choice of pictures for the page, so that it stays small enough to send by mail."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

from limpide.core.finding import Finding, Picture

MAX_PICTURE_BYTES = 3_500_000  # base64 characters of all pictures together; the page must stay under 5 MB
WITH_NUMBERS = 4_400_000  # pictures, and the interactive numbers
FIRST = ("mistakes", "inside")  # findings whose pictures matter most
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")


def chosen_pictures(
    findings: Mapping[str, Finding], images: bool, numbers: int = 0
) -> tuple[dict[str, Sequence[Picture]], int]:
    """Return the pictures of each finding, and how many had to lose their image for size. Without `images` there are
    none. numbers: characters of the numbers that are in the page, too.
    """
    if not images:
        return dict.fromkeys(findings, ()), 0
    order = [name for name in FIRST if name in findings] + [name for name in findings if name not in FIRST]
    room, lost = min(MAX_PICTURE_BYTES, WITH_NUMBERS - numbers), 0
    chosen: dict[str, Sequence[Picture]] = {}
    for name in order:
        pictures = []
        for picture in findings[name].pictures:
            jpeg = picture.jpeg if _BASE64.fullmatch(picture.jpeg) else ""
            if len(jpeg) > room:
                jpeg, lost = "", lost + 1
            room -= len(jpeg)
            pictures.append(dataclasses.replace(picture, jpeg=jpeg))
        chosen[name] = pictures
    return chosen, lost
