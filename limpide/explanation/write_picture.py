"""An explanation as one file: a picture, a page or numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from limpide.core.errors import UsageError
from limpide.core.events import Progress
from limpide.core.finding import Finding
from limpide.explanation.explain_image import explain_image, pass_progress
from limpide.explanation.inputs import enter_image, open_for_explanation
from limpide.explanation.writers import WRITERS, bytes_of, is_for_programs
from limpide.system.files import write_bytes
from limpide.text.messages import N_, message


def place_of(out: Path, image: str = "") -> Path:
    """The file to write, checked before any work is done. Raises UsageError for another ending, a folder, and for the
    image itself.
    """
    if out.suffix.lower() not in WRITERS or out.is_dir() or not out.parent.is_dir():
        raise UsageError("L131", where=out, endings=", ".join(WRITERS))
    if image and out.exists() and Path(image).exists() and out.samefile(image):
        raise UsageError("L134", where=out)
    return out


def write_picture(run: str, file: str, out: Path, findings: dict[str, Finding]) -> Iterator[Progress | Path]:
    """Write the result of `explain`, with maps, evidence and similar images, into `out` and yield it last. Call
    `place_of` first.
    """
    from limpide.interpret.trace import trace

    opened = open_for_explanation(run, language="en" if is_for_programs(out) else None)
    tensor, square, _ = enter_image(file, opened.preprocessing)
    sight = yield from pass_progress(
        explain_image(opened, trace(opened.network, tensor), square, file, findings["prediction"], findings["inside"])
    )
    yield Progress(message(N_("drawing the explanation")), 0, 0)
    write_bytes(out, bytes_of(sight, out))
    yield out
