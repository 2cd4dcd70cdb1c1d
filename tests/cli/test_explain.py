"""limpide explain: on the screen and into a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from limpide.api.see import see
from limpide.data.split_file import read_split
from tests.cli.place import Place, here, last, one_line


def test_explain(place: Place) -> None:
    done = place("explain", place.run, "others/disc/0000.png")
    assert "what the network computed" in done.stdout and last(done).startswith("next: limpide explain ")
    found = json.loads(
        place("explain", place.run, "others/disc/0000.png", "--layer", "head", "--channel", 2, "--json").stdout
    )
    assert set(found) == {"prediction", "inside"} and found["inside"]["data"]["layer"] == "head"
    assert abs(found["inside"]["data"]["sum"] - found["inside"]["data"]["torch"]) < 1e-4
    (predicted,) = json.loads(place("predict", place.run, "others/disc/0000.png", "--json").stdout)
    assert found["prediction"]["message"]["values"]["label"] == predicted["label"]


def test_explain_writes_all_of_it_into_a_file(place: Place, tmp_path: Path) -> None:
    image = "others/disc/0000.png"
    done = place("explain", place.run, image, "--out", tmp_path / "inside.json", "--lang", "fr")
    assert "inside.json" in done.stdout and f" limpide studio {place.run}" in last(done)
    found = json.loads((tmp_path / "inside.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    (predicted,) = json.loads(place("predict", place.run, image, "--json").stdout)
    assert found["predictions"][0] == {
        "class": predicted["label"],
        "probability": pytest.approx(predicted["probability"], abs=1e-6),
    }
    seen = see(str(place.run), place.root / image)  # the network with its temperature says what the sealed file says
    assert seen.top[0] == (predicted["label"], pytest.approx(predicted["probability"], abs=1e-5))
    assert found["saliency"][2]["method"] == "grad_cam" and len(found["saliency"][2]["map"]) == 16
    near = found["neighbours"]
    assert len(near["images"]) == 8 and near["note"] is None and near["compared"] <= near["of"]
    used = {row["file"]: row["label"] for row in read_split(place.run / "split.csv") if row["part"] == "train"}
    assert all(used[one["file"]] == one["class"] for one in near["images"])
    for ending in ("png", "html"):
        out = tmp_path / f"inside.{ending}"
        out.write_text("old")  # it was named, so it is replaced
        done = here("explain", place.run, image, "--out", out, "--json", cwd=place.root)
        assert (
            done.returncode == 0
            and set(json.loads(done.stdout)) == {"prediction", "inside"}
            and "written" in done.stderr
        )
        assert 10_000 < out.stat().st_size < 2_000_000 and not list(tmp_path.glob(".*"))
    assert (tmp_path / "inside.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("out", ["inside.bmp", "inside", "others", "nowhere/inside.png"])
def test_explain_writes_only_where_it_can(place: Place, out: str) -> None:
    one_line(place.mistake("explain", place.run, "others/disc/0000.png", "--out", out, status=2), "L131")


def test_explain_does_not_replace_the_image(place: Place) -> None:
    image = place.root / "others" / "disc" / "0000.png"
    before = image.read_bytes()
    one_line(place.mistake("explain", place.run, image, "--out", "others/disc/../disc/0000.png", status=2), "L134")
    assert image.read_bytes() == before
