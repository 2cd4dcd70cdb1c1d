"""The report of a run in another language than that in which it was written. The file in the run stays as it is."""

from __future__ import annotations

from limpide.core.run import Run
from limpide.inspector.answer import Answer
from limpide.inspector.session import Session
from limpide.text.language import current_language, use_language


def report(session: Session, path: str, lang: str, images: bool) -> Answer:
    """The page, rendered again from the run. images: whether it contains pictures and file names."""
    return {}, session.results.get(
        ("report", *stamp(Run.open(path)), lang, images), lambda: _render(Run.open(path), lang, images)
    )


def stamp(run: Run) -> tuple[object, ...]:
    """Identifies this state of a run: the files from which its report is made."""
    files = [
        run.path / "run.json",
        run.events_file,
        run.split_file,
        run.excluded_file,
        run.report_file,
        *sorted(run.path.glob("findings/*.json")),
    ]
    return str(run.path), *(
        (file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()
    )


def _render(run: Run, lang: str, images: bool) -> bytes:
    from limpide.report.html.page import html_of

    before = current_language()
    use_language(lang)
    try:
        return html_of(run, images=images).encode("utf-8", "backslashreplace")
    finally:
        use_language(before)
