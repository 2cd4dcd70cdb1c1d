"""The page: complete, closed to the outside, escaped, translated, small, and honest about what is missing."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from limpide.audit.run_facts import left_out_finding
from limpide.cli.report import report
from limpide.core.finding import Finding, Number, Picture
from limpide.report.html.page import html_of, write_page
from limpide.text import language, messages
from limpide.text.language import use_language
from limpide.text.messages import message
from tests.report import fake_run as fake

VOID = {"meta", "img", "br", "input", "link", "hr"}
ALL = (
    "accuracy",
    "simpler",
    "classes",
    "confusion",
    "mistakes",
    "calibration",
    "training",
    "data",
    "cost",
    "export",
    "inside",
    "robustness",
)


class Reader(HTMLParser):
    """Text, tags with their attributes, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script") and data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("en")


def test_the_page_is_written_where_the_run_says(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path)
    assert write_page(run) == run.report_file
    page = run.report_file.read_text(encoding="utf-8")
    assert page == html_of(run)
    assert page.lstrip().lower().startswith("<!doctype html>")


def test_every_tag_is_closed_and_every_reference_has_its_target(tmp_path: Path) -> None:
    reader = Reader(html_of(fake.make_run(tmp_path)))
    assert not reader.open
    ids = [attributes["id"] for _tag, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _tag, attributes in reader.tags:
        for name in ("aria-labelledby", "aria-controls"):
            if name in attributes:
                assert attributes[name] in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    page = html_of(fake.make_run(tmp_path))
    assert not re.search(r"https?://|//\w+\.\w+/|url\(|@import", page)
    for tag, attributes in Reader(page).tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes or (attributes["src"] or "").startswith("data:image/jpeg;base64,")
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert (attributes["href"] or "").startswith("#")


def test_text_from_files_stays_text(tmp_path: Path) -> None:
    names = (fake.HOSTILE, '"><script>alert(1)</script>', "{{ 7 * 7 }} {x:percent}", "a\u202eb\x1b[31m\nc")
    reader = Reader(html_of(fake.make_run(tmp_path, classes=names, data="</title><script>alert(2)</script>")))
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert all("onerror" not in attributes for _tag, attributes in reader.tags)
    for name in names[:3]:
        assert name in reader.text
    assert "a\\x202eb\\x1b[31m\\x0ac" in reader.text
    assert "\u202e" not in reader.text and "\x1b" not in reader.text


def test_a_picture_that_is_not_base64_is_not_embedded(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path, without=("mistakes",))
    run.add_finding(Finding("mistakes", "ok", message("m"), pictures=[Picture("f", "a", "b", 0.9, '"><script>')]))
    reader = Reader(html_of(run))
    assert "no picture kept" in reader.text
    assert [tag for tag, _ in reader.tags].count("script") == 1


@pytest.mark.parametrize("missing", ALL)
def test_a_missing_finding_leaves_no_section(tmp_path: Path, missing: str) -> None:
    run = fake.make_run(tmp_path, without=(missing,))
    ids = [attributes.get("id") for _tag, attributes in Reader(html_of(run)).tags]
    # The score says that it is missing, and the curves need no finding.
    assert (missing in ids) == (missing in ("accuracy", "training"))


def test_a_run_that_stopped_at_once_still_has_a_page(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path, epochs=0, without=ALL)
    run.split_file.unlink()
    run.excluded_file.unlink()
    reader = Reader(html_of(run))
    assert "This run has no score yet." in reader.text
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "section"] == ["accuracy", "made"]


def test_without_images_no_picture_and_no_file_name_remains(tmp_path: Path) -> None:
    page = html_of(fake.make_run(tmp_path), images=False)
    assert "Pictures and file names were left out of this report on request." in page
    assert "data:image" not in page
    assert ".png" not in page and "secret" not in page


def test_the_score_is_explained_in_words(tmp_path: Path) -> None:
    text = Reader(html_of(fake.make_run(tmp_path))).text
    expected = "the score would very likely lie between 98.9\u00a0% and 99.3\u00a0%."
    assert expected in text
    assert "Out of 1,000 images, about 9 are named wrongly (marked)." in text
    assert "n\u00a0=\u00a010,000" in text


def test_every_section_ends_with_what_to_do(tmp_path: Path) -> None:
    page = html_of(fake.make_run(tmp_path))
    sections = re.findall(r'<section id="([^"]+)"(.*?)</section>', page, re.DOTALL)
    assert len(sections) > 8
    for name, content in sections:
        if name not in ("made", "robustness"):  # which claims nothing, and a finding of a stranger
            assert re.search(r'<p class="todo"><strong>What to do</strong> [^<]+</p>\s*$', content), name


def test_a_finding_nobody_has_heard_of_is_shown(tmp_path: Path) -> None:
    text = Reader(html_of(fake.make_run(tmp_path))).text
    assert "Robustness" in text and "A finding that the page has never heard of." in text and "not known" in text


def test_what_there_was_no_time_for_has_a_heading_in_every_language(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path)
    run.add_finding(left_out_finding(["simpler models"], 40.0))
    assert "What was left out" in Reader(html_of(run)).text
    use_language("fr")
    if messages._("What was left out") == "What was left out":
        pytest.skip("the French catalogue limpide.mo is not compiled here")
    assert "Ce qui a été laissé de côté" in Reader(html_of(run)).text


def test_reasons_for_leaving_out_are_counted_and_odd_file_names_spelled_out(tmp_path: Path) -> None:
    text = Reader(html_of(fake.make_run(tmp_path))).text
    assert "the same image is in two classes: 2 files" in text and "not an image: 1 file" in text
    assert "secret/a\\xdcff.png" in text


def test_pictures_stop_before_the_page_is_too_big(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path)
    run.add_finding(
        Finding(
            "mistakes",
            "ok",
            message("m"),
            pictures=[Picture(f"{i}.png", "0", "1", 0.9, "A" * 400_000) for i in range(24)],
        )
    )
    write_page(run)
    assert run.report_file.stat().st_size < 5_000_000
    assert re.search(r"\d+ pictures were left out to keep this page small", run.report_file.read_text(encoding="utf-8"))


def test_a_hundred_classes_stay_small_and_show_the_most_frequent_confusion(tmp_path: Path) -> None:
    classes = tuple(f"class {k} " + "long" * 20 for k in range(100))
    page = html_of(fake.make_run(tmp_path, classes=classes))
    assert len(page) < 5_000_000
    reader = Reader(page)
    assert "Of 100 classes, the 20 that are confused most often are shown" in reader.text
    assert 20 < sum("data-cell" in attributes for _tag, attributes in reader.tags) < 20 * 20
    assert "The other 88 classes" in reader.text


def test_an_interval_and_a_bin_may_be_missing(tmp_path: Path) -> None:
    run = fake.make_run(tmp_path, without=("accuracy", "calibration", "classes"))
    run.add_finding(Finding("accuracy", "unknown", message("Five images."), [Number("accuracy", 1.0, "share", n=5)]))
    run.add_finding(Finding("calibration", "unknown", message("Too few.")))
    run.add_finding(Finding("classes", "ok", message("None.")))
    text = Reader(html_of(run)).text
    assert "100.0\u00a0%" in text and "would very likely lie" not in text
    assert "Each square is one test image; the marked ones are mistakes (0)." in text


def test_the_recipe_is_explained_however_the_page_is_written(tmp_path: Path) -> None:
    """`limpide report` wrote it without the column that a training had written."""
    run = fake.make_run(tmp_path)
    written = CliRunner().invoke(report, [str(run.path)])
    assert written.exit_code == 0, written.output
    page = run.report_file.read_text(encoding="utf-8")
    assert "what it means" in page and "images that pass through the network at once" in page


class Marked(gettext.NullTranslations):
    """A language in which every sentence that went through gettext stands between brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


def test_every_word_goes_through_gettext(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fake.make_run(tmp_path, classes=("0", "1", "2"))
    monkeypatch.setattr(language, "_catalogue", Marked())
    reader = Reader(html_of(run))
    spoken = [
        attributes[name]
        for _tag, attributes in reader.tags
        for name in ("alt", "aria-label", "title")
        if attributes.get(name)
    ]
    plain = [
        words for words in [*reader.words, *map(str, spoken)] if re.search(r"[a-z]{2}", words) and "⟦" not in words
    ]
    # What is left are names and values of this run, and units.
    data = (
        r"limpide|digits|test/.*|secret/.*|cnn|no|epochs|batch|lr|weight_decay|flip|seed|model|time|torch|Python|"
        r"AMD.*|Linux.*|n\W=.*|[\d.,]+\W(ms|MB|min).*"
    )
    assert [words for words in plain if not re.fullmatch(data, words)] == []


def test_french(tmp_path: Path) -> None:
    use_language("fr")
    if messages._("Would a simpler model do?") == "Would a simpler model do?":
        pytest.skip("the French catalogue limpide.mo is not compiled here")
    page = html_of(fake.make_run(tmp_path))
    assert '<html lang="fr">' in page
    text = Reader(page).text
    assert (
        "Un modèle plus simple suffirait-il" in text
        and "le score se situerait très probablement entre 98,9\u00a0% et 99,3\u00a0%" in text
    )
    assert "99.1" not in text and "How this was measured" not in text
