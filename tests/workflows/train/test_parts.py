"""Which image serves for what, and whether what is said about it is what happened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.errors import DataError
from limpide.core.events import Note
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.judging.run_subject import count_look
from limpide.system.files import read_json, write_json
from limpide.workflows.train.training import prepare, train
from tests.quick_judge import quick_judge

TINY = Recipe.of(model="cnn", epochs=1, image_size=16)


@pytest.fixture
def quick() -> Iterator[None]:
    with quick_judge():
        yield


def trained(data: Path, *, new: bool = False, recipe: Recipe = TINY, judge: bool = True) -> tuple[Run, list[str]]:
    """(the run, its notes in words)."""
    run, dataset, _ = prepare(str(data), recipe, data.parent / "runs", new=new)
    notes = [str(event.message) for event in train(run, dataset, judge=judge) if isinstance(event, Note)]
    return run, notes


def again(run: Run, data: Path) -> None:
    """The run as after a kill while it was judged, gone on with."""
    run.update(phase="judge", status="running")
    _, dataset, _ = prepare(str(data), TINY, run.path.parent)
    list(train(run, dataset))


def noise(root: Path, seed: int = 0, **counts: int) -> Path:
    """Grey noise of 16 × 16: too small to be looked through for near duplicates."""
    random = np.random.default_rng(seed)
    for label, count in counts.items():
        (root / label).mkdir(parents=True)
        for k in range(count):
            Image.fromarray(random.integers(0, 256, (16, 16), np.uint8)).save(root / label / f"{k}.png")
    return root


@pytest.mark.usefixtures("quick")
def test_looks_are_sealed_files_not_restarts_of_the_judge(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=12, b=12)
    run, _ = trained(data)
    again(run, data)
    assert run.info().test_looks == 1
    other, _ = trained(data, recipe=TINY.but(seed=1))
    assert other.info().test_looks == 2  # another sealed file, the same test images
    for old in (run, other):  # of a limpide that counted without names
        old.update(test_looks=7, test_seen_by=[])
    write_json(
        run.path / "run.json", {k: v for k, v in read_json(run.path / "run.json").items() if k != "test_seen_by"}
    )
    assert trained(data, new=True)[0].info().test_looks == 8


def test_the_same_sealed_file_in_another_run_is_no_other_look(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "a", {"test_looks": 3, "test_seen_by": ["0" * 16]})
    run.model_file.write_bytes(b"a sealed file")
    for _ in range(16):
        count_look(run, run.info())
    assert run.info().test_looks == 4
    run.model_file.write_bytes(b"another")
    count_look(run, run.info())
    assert run.info().test_looks == 5


# -- a part of another size than was asked for


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({f"c{k}": 3 for k in range(20)}, "each class is divided in whole images"),  # 1 of 3 is no fifth
        ({"a": 30, "b": 30}, ""),
    ],
)
def test_small_classes_are_the_reason_where_there_are_no_groups(
    tmp_path: Path, counts: dict[str, int], why: str
) -> None:
    told = shares(tmp_path, noise(tmp_path / "data", **counts))
    assert (why in told) if why else not told
    assert "kept together" not in told and "earlier run" not in told


def test_groups_are_the_reason_where_there_are_some(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=40, b=40)
    rows = [f"{label}/{k}.png,{label},{label}{k // 20}" for label in "ab" for k in range(40)]
    (data / "labels.csv").write_text("\n".join(["file,label,patient", *rows]))
    told = shares(tmp_path, data)
    assert (
        "images that belong together stay in one part" in told
        and "earlier run" not in told
        and "whole images" not in told
    )


@pytest.mark.usefixtures("quick")
def test_an_earlier_run_is_the_reason_where_there_was_one(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=40, b=40)
    trained(data)
    told = shares(tmp_path, data, TINY.but(test=0.4))
    assert "images stay where they were in an earlier run" in told and "kept together" not in told


def test_a_given_test_part_makes_no_other_part_look_small(tmp_path: Path) -> None:
    data = tmp_path / "data"
    noise(data / "train", a=40, b=40)
    noise(data / "test", seed=1, a=60, b=60)
    assert not shares(tmp_path, data)


def shares(tmp_path: Path, data: Path, recipe: Recipe = TINY) -> str:
    """What is said of the sizes of parts, before anything is learned."""
    run, dataset, _ = prepare(str(data), recipe, tmp_path / "runs", new=True)
    notes: list[str] = []
    for event in train(run, dataset):
        if isinstance(event, Note):
            notes.append(str(event.message))
        if run.info().phase == "quote":
            break
    return " ".join(note for note in notes if "instead of" in note)


# -- too few, and why


def refusal(data: Path) -> DataError:
    with pytest.raises(DataError) as error:
        trained(data)
    return error.value


def test_copies_are_not_called_too_few(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=1, b=1)
    for label in "ab":
        for k in range(1, 20):
            shutil.copy(data / label / "0.png", data / label / f"{k}.png")
    error = refusal(data)
    assert (
        error.code == "L261"
        and "all 20 images of a are copies of one image" in str(error)
        and "too few" not in str(error)
    )


def test_one_class_to_train_on_is_said(tmp_path: Path) -> None:
    data = noise(tmp_path / "data" / "train", a=20).parent
    noise(data / "test", seed=1, b=5)
    error = refusal(data)
    assert error.code == "L262" and "one class, a" in str(error)


def test_groups_are_not_the_reason_where_the_training_part_has_one_class(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=20, b=6)
    rows = [f"a/{k}.png,a,{'train' if k < 14 else 'test'},p{k}" for k in range(20)] + [
        f"b/{k}.png,b,test,q{k}" for k in range(6)
    ]
    (data / "labels.csv").write_text("\n".join(["file,label,split,patient", *rows]))
    assert refusal(data).code == "L262"


@pytest.mark.usefixtures("quick")
def test_nothing_stays_where_every_image_is_another(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=30, b=30)
    first, notes = trained(data)
    assert first.info().test_looks == 1 and not any("stay in the part they had" in note for note in notes)
    shutil.rmtree(data)
    noise(data, seed=5, a=30, b=30)
    run, dataset, _ = prepare(str(data), TINY, tmp_path / "runs", new=True)
    notes = []
    for event in train(run, dataset):
        if isinstance(event, Note):
            notes.append(str(event.message))
        if run.info().phase == "quote":
            break
    assert not any("stay in the part they had" in note for note in notes) and run.info().test_looks == 0
