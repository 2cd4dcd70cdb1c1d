"""What is planted in a folder is named by the check; a clean folder is not accused; nothing of the user's
is changed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from limpide.audit.folder_checks import CHECKS
from limpide.core.events import Judged
from limpide.core.finding import Finding
from limpide.data.layouts.summary import DatasetSummary
from limpide.report.html import run_data
from limpide.workflows.check import check
from tests.make_images import photo, photo_folder, shape
from tests.runner import limpide


def checked(location: Path, **options: str) -> dict[str, Finding]:
    return {event.finding.name: event.finding for event in check(str(location), **options) if isinstance(event, Judged)}  # type: ignore[arg-type]


def files(finding: Finding) -> list[str]:
    assert finding.table
    return [row[0] for row in finding.table.rows]


def textured(root: Path, per_class: int, classes: tuple[str, ...] = ("disc", "square"), seed: int = 0) -> Path:
    """Photographs with enough in them to be told apart: several shapes on noise, 96 × 72."""
    random = np.random.default_rng(seed)
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for k in range(per_class):
            small = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize(
                (96, 72), Image.Resampling.BICUBIC
            )
            small.paste(shape(name if name in ("disc", "square") else "bars", (40, 40), random), (20, 16))
            small.save(root / name / f"{k:04d}.png")
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return textured(tmp_path / "photos", 20)


def test_every_check_has_its_place_in_the_report() -> None:
    assert tuple(CHECKS) == run_data.CHECKS


def test_a_clean_folder_is_not_accused(photos: Path) -> None:
    found = checked(photos)
    assert list(found) == list(CHECKS)
    assert {name: finding.verdict for name, finding in found.items() if finding.verdict != "ok"} == {}
    assert str(found["balance"]) == "40 usable images in 2 classes, 20 a class."


def test_copies(photos: Path) -> None:
    (photos / "disc" / "copy.png").write_bytes((photos / "disc" / "0003.png").read_bytes())
    found = checked(photos)["duplicates"]
    assert files(found) == ["disc/copy.png"] and found.table and found.table.rows[0][1] == "disc/0003.png"


def test_a_planted_near_duplicate_is_named(photos: Path) -> None:
    with Image.open(photos / "disc" / "0003.png") as image:
        ImageEnhance.Brightness(image).enhance(1.08).resize((70, 52)).save(photos / "disc" / "again.jpg", quality=70)
    found = checked(photos)["near_duplicates"]
    assert (
        found.verdict == "warn"
        and found.table
        and {frozenset(row) for row in found.table.rows} == {frozenset(("disc/again.jpg", "disc/0003.png"))}
    )


def test_a_planted_conflict_is_named(photos: Path) -> None:
    """Case 36."""
    (photos / "square" / "wrong.png").write_bytes((photos / "disc" / "0003.png").read_bytes())
    found = checked(photos)["conflicts"]
    assert (
        found.verdict == "bad"
        and found.table
        and found.table.rows == [("square/wrong.png", "square", "disc/0003.png", "disc")]
    )


def test_a_conflict_between_nearly_the_same(photos: Path) -> None:
    with Image.open(photos / "disc" / "0003.png") as image:
        image.save(photos / "square" / "wrong.jpg", quality=80)
    assert checked(photos)["conflicts"].verdict == "warn"


def test_planted_leaks_are_named(tmp_path: Path) -> None:
    """Case 35: fifty exact leaks, all of them; twenty near ones, nineteen at least."""
    root = tmp_path / "photos"
    textured(root / "train", 60)
    textured(root / "test", 30, seed=1)
    originals = sorted((root / "train").rglob("*.png"))
    for k, file in enumerate(originals[:50]):
        (root / "test" / file.parent.name / f"leak{k}.png").write_bytes(file.read_bytes())
    for k, file in enumerate(originals[60:80]):
        with Image.open(file) as image:
            image.resize((80, 60)).save(root / "test" / file.parent.name / f"near{k}.jpg", quality=75)
    found = checked(root)["leaks"]
    named = {row[0] for row in found.table.rows} if found.table else set()
    exact = {str(file.relative_to(root)) for file in originals[:50]}
    near = {str(file.relative_to(root)) for file in originals[60:80]}
    assert found.verdict == "bad" and exact <= named and len(near & named) >= 19 and named <= exact | near


def test_groups_across_given_parts_are_a_leak(photos: Path) -> None:
    lines = [
        f"{file.parent.name}/{file.name},{file.parent.name},"
        f"{'test' if int(file.stem) > 14 else 'train'},p{int(file.stem) % 8}"
        for file in photos.rglob("*.png")
    ]
    (photos / "table.csv").write_text("\n".join(["file,label,split,patient", *lines]))
    assert "8 groups have images in two" in str(
        checked(photos / "table.csv")["leaks"]
    ) or "groups have images in two" in str(checked(photos / "table.csv")["leaks"])


def test_unusable_files_and_reasons(photos: Path) -> None:
    (photos / "disc" / "empty.png").write_bytes(b"")
    (photos / "disc" / "page.jpg").write_bytes(b"<!DOCTYPE html><html></html>")
    found = checked(photos)["unusable"]
    assert found.table and {row[0]: str(row[1]) for row in found.table.rows} == {
        "disc/empty.png": "the file is empty",
        "disc/page.jpg": "it is a web page, not an image",
    }


def test_constant_images_are_kept_and_told(photos: Path) -> None:
    """Case 20."""
    Image.new("RGB", (50, 50), "red").save(photos / "disc" / "red.png")
    found = checked(photos)
    assert (
        found["constant"].verdict == "warn"
        and files(found["constant"]) == ["disc/red.png"]
        and found["unusable"].verdict == "ok"
    )


def test_uneven_classes_and_few_images(tmp_path: Path) -> None:
    """Case 34."""
    root = photo_folder(tmp_path / "a", per_class=12, classes=("disc", "square"))
    for k in range(130):
        photo(root / "disc" / f"more{k}.png", seed=1000 + k)
    assert "142" not in str(checked(root)["balance"]) and "disc has 11.8 times as many" in str(checked(root)["balance"])
    small = checked(photo_folder(tmp_path / "b", per_class=3))["balance"]
    assert "3 of 3 classes have fewer than 10 usable images; bars has the fewest, only 3." in str(
        small
    ) and "add images, or merge" in str(small)
    few = photo_folder(tmp_path / "c", per_class=12, classes=("disc", "square"))
    for k in range(1, 12):
        (few / "square" / f"{k:04d}.png").unlink()
    assert "square has only 1 usable image:" in str(checked(few)["balance"])
    (few / "square" / "0000.png").write_bytes(b"")
    (few / "square" / "0000.png").unlink()
    assert (
        next(str(event.in_one_line()) for event in check(str(few)) if isinstance(event, DatasetSummary))
        == "12 images in one class, disc"
    )
    (few / "square" / "0000.png").write_bytes(b"")
    assert "square has no usable image, so it cannot be learned: add images" in str(checked(few)["balance"])


def test_class_names_that_differ_by_case(tmp_path: Path) -> None:
    """Case 48."""
    root = photo_folder(tmp_path / "a", per_class=12, classes=("Cat", "cat", "dog"))
    assert checked(root)["class_names"].verdict == "warn" and "Cat and cat" in str(checked(root)["class_names"])


def test_names_that_suggest_groups(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    random = np.random.default_rng(0)
    for k in range(40):
        file = root / ("ill" if k % 2 else "well") / f"p{k // 4:03d}_{k % 4}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        shape("disc", (40, 40), random).save(file)
    found = checked(root)["name_groups"]
    assert found.verdict == "warn" and "10 groups, such as p00" in str(found)


def test_many_sizes(photos: Path) -> None:
    """Case 22."""
    photo(photos / "disc" / "tall.png", size=(40, 300))
    for k in range(60):  # more than there are images; they do not count
        (photos / "disc" / f"broken{k}.png").write_bytes(b"no image")
    assert "2 sizes, typically 96×72 pixels; the shortest side has 40, the longest 300" in str(checked(photos)["sizes"])


def test_written_characters_are_not_called_duplicates(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    for k in range(300):
        file = tmp_path / "digits" / str(digits.target[k]) / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[k] * 15).astype(np.uint8)).resize((64, 64)).save(file)
    assert checked(tmp_path / "digits")["near_duplicates"].verdict == "unknown"


def test_nothing_of_the_users_is_changed(photos: Path) -> None:
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in photos.rglob("*") if file.is_file()}
    checked(photos)
    checked(photos, rehash=True)  # type: ignore[arg-type]
    assert {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in photos.rglob("*") if file.is_file()
    } == before


def test_every_finding_survives_json_and_speaks_french(photos: Path) -> None:
    from limpide.text.language import use_language

    (photos / "disc" / "empty.png").write_bytes(b"")
    for name, finding in checked(photos).items():
        again = Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False)))
        use_language("en")
        english = str(again)
        use_language("fr")
        assert str(again) != english, name
        use_language("en")


def test_the_command(photos: Path) -> None:
    (photos / "disc" / "copy.png").write_bytes((photos / "disc" / "0003.png").read_bytes())
    done = limpide("check", photos, cwd=photos.parent)
    assert "disc/copy.png" in done.stdout and done.stdout.splitlines()[-1].endswith(f"train {photos}")
    done = limpide("check", photos, "--json", cwd=photos.parent)
    printed = json.loads(done.stdout)
    assert set(printed["findings"]) == set(CHECKS) and printed["usable"] == len(list(photos.rglob("*.png")))
    assert (
        printed["classes"] == ["disc", "square"]
        and printed["parts"] == []
        and printed["groups"] is None
        and printed["ignored"] == []
    )
    assert [note["says"] for note in printed["notes"]] == ["layout: one folder per class"]
    assert "usable images in 2 classes" in printed["findings"]["balance"]["says"]


def test_a_data_set_without_files(tmp_path: Path) -> None:
    found = {event.finding.name: event.finding for event in check("digits") if isinstance(event, Judged)}
    assert found["near_duplicates"].verdict == "unknown"


def test_reasons_are_those_of_these_data(tmp_path: Path) -> None:
    """What the split does with copies and names is said only where the split does it."""
    ours, theirs = textured(tmp_path / "ours", 12), tmp_path / "theirs"
    for part, seed in (("train", 1), ("val", 2), ("test", 3)):
        textured(theirs / part, 12, seed=seed)
    for root in (ours, theirs / "train"):
        for name in ("disc", "square"):
            for k in range(12):
                (root / name / f"{k:04d}.png").rename(root / name / f"p{name[0]}{k // 3}_{k:04d}.png")
        (root / "disc" / "copy.png").write_bytes((root / "disc" / "pd0_0000.png").read_bytes())
    for part in ("val", "test"):
        for name in ("disc", "square"):
            for k in range(12):
                (theirs / part / name / f"{k:04d}.png").rename(
                    theirs / part / name / f"{part}{name[0]}{k // 3}_{k:04d}.png"
                )
    (theirs / "train" / "square" / "leak.png").write_bytes((theirs / "val" / "square" / "vals0_0000.png").read_bytes())
    said = {name: str(finding) for name, finding in checked(ours).items()}
    assert (
        said["duplicates"] == "1 image is an exact copy of another; copies stay in one part."
        and "a random split" in said["name_groups"]
    )
    said = {name: str(finding) for name, finding in checked(theirs).items()}
    assert said["duplicates"] == "2 images are exact copies of others." and "random split" not in said["name_groups"]
    assert (
        "make sure that none is in two of your parts" in said["name_groups"]
        and "only the copy nearest to the test is kept" in said["leaks"]
    )
    found = {event.finding.name: str(event.finding) for event in check("digits") if isinstance(event, Judged)}
    assert "these images are not in files" in found["near_duplicates"]
