"""Every question is one record: its values are those of the function that answers, and the server loads no torch to
read them.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from limpide.inspector.image_reference import ImageReference
from limpide.inspector.question import Question
from limpide.inspector.questions import QUESTIONS

OF_NO_PAGE = {"most"}  # what only a program gives


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_record_names_what_the_function_takes(name: str) -> None:
    question = QUESTIONS[name]
    session, path, snapshot, *given = inspect.signature(question.answer).parameters.values()
    assert (session.name, path.name, snapshot.name) == ("session", "path", "snapshot")
    assert {parameter.name for parameter in given} - OF_NO_PAGE == set(question.parameters)
    assert session.annotation == ("NetworkSession" if question.in_notebook else "Session"), (
        "what is asked of a network in memory may ask its session for no run"
    )
    for parameter in given:
        if question.parameters.get(parameter.name) is ImageReference:
            assert parameter.name == "image"


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_function_has_the_name_of_its_question_and_goes_through_a_pipe(name: str) -> None:
    answer = QUESTIONS[name].answer
    assert answer.__name__ == name and getattr(sys.modules[answer.__module__], name) is answer


def test_what_is_required_has_no_default() -> None:
    assert QUESTIONS["effect"].required == ["key", "channel"] and QUESTIONS["cell"].required == ["truth", "said"]
    assert QUESTIONS["unit"].missing({"snapshot": "best", "image": None}) == ["key"]
    assert QUESTIONS["prediction"].required == [], "an image is always known"


@pytest.mark.parametrize(
    ("name", "query", "values"),
    [
        ("predictions", {"snapshot": "12", "stray": "1"}, {"snapshot": "12"}),
        ("unit", {"key": "a.b", "y": "3"}, {"image": ImageReference(probe=0), "key": "a.b", "y": 3}),
        (
            "picture",
            {"image": "row-7", "turn": "-20.5", "mirror": "1", "noise": ""},
            {"image": ImageReference(row=7, turn=-20.5, mirror=True)},
        ),
        ("picture", {"image": "drop-1"}, {"image": ImageReference(data=b"x")}),
        ("occluded", {"mask": "[[0, 15]]"}, {"image": ImageReference(probe=0), "mask": [[0, 15]]}),
        ("effect", {"key": "k", "channel": "1", "weight": "-2"}, {"key": "k", "channel": 1, "weight": -2.0}),
    ],
)
def test_values_of_an_address(name: str, query: dict[str, str], values: dict[str, object]) -> None:
    found = QUESTIONS[name].values(query, {"drop-1": b"x"})
    assert {"snapshot": "best", **values}.items() <= found.items()
    assert found.keys() <= {"snapshot", *QUESTIONS[name].parameters}


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("maps", {"key": ""}),
        ("thumb", {"row": "-1"}),
        ("thumb", {"row": "1" * 16}),
        ("thumb", {"row": "²"}),
        ("picture", {"image": "row-"}),
        ("picture", {"image": "elsewhere"}),
        ("picture", {"noise": "nan"}),
        ("picture", {"turn": "181"}),
        ("occluded", {"mask": "[[16, 0]]"}),
        ("occluded", {"mask": "{}"}),
        ("effect", {"weight": "inf"}),
    ],
)
def test_values_that_cannot_be_read(name: str, query: dict[str, str]) -> None:
    with pytest.raises((ValueError, KeyError)):
        QUESTIONS[name].values(query, {})


def test_an_upload_that_others_pushed_out_is_told_from_a_misspelt_one() -> None:
    with pytest.raises(LookupError, match="no longer kept") as told:
        QUESTIONS["picture"].values({"image": "drop-1"}, {})
    assert not isinstance(told.value, KeyError)


@pytest.mark.parametrize("given", [{}, {"probe": 1, "row": 2}, {"row": 1, "data": b"x"}])
def test_an_image_is_one_thing(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="probe, a row or the bytes"):
        ImageReference(**given)  # type: ignore[arg-type]


def test_the_server_reads_questions_without_torch() -> None:
    code = (
        "import limpide.studio.server, sys\n"
        "from limpide.inspector.questions import QUESTIONS\n"
        "for question in QUESTIONS.values():\n"
        "    question.values({'image': 'row-1', 'turn': '3', 'key': 'head'}, {}), question.required\n"
        "print([name for name in ('torch', 'sklearn', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_question_is_written_down_once() -> None:
    """Each stands in one table, beside its function."""
    texts = [file.read_text() for file in Path(inspect.getfile(Question)).parent.glob("*.py")]
    for name in QUESTIONS:
        assert sum(text.count(f'"{name}": Question(') for text in texts) == 1, name
