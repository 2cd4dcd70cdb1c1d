"""Whether images that a model is scored on were among those it was trained on, saved again or not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide import ImageClassifier
from limpide.core.errors import RunError
from limpide.core.events import Judged
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.data.near_duplicates import find_every_pair, find_known
from limpide.text.messages import message
from limpide.workflows.evaluate import _unflattered, evaluate
from tests.audit.test_folder_checks import textured
from tests.quick_judge import quick_judge
from tests.workflows.train.test_parts import noise, trained

COLOURED = 40  # images a class


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with quick_judge():
        return trained(textured(tmp_path_factory.mktemp("seen") / "data", COLOURED))[0]


def saved_again(run: Run, where: Path, wanted: tuple[str, ...], suffix: str = "jpg") -> Path:
    """The images of some parts of a run, written anew: other bytes, nearly the same pixels."""
    with open(run.split_file, newline="") as stream:
        for row in csv.DictReader(stream):
            if row["part"] in wanted:
                target = where / row["label"] / f"{Path(row['file']).stem}.{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                Image.open(run.path.parents[1] / "data" / row["file"]).convert("RGB").save(target, quality=95)
    return where


def accuracy(run: Run, data: Path) -> Finding:
    return next(
        event.finding
        for event in evaluate(str(run.path), str(data))
        if isinstance(event, Judged) and event.finding.name == "accuracy"
    )


def counted(finding: Finding) -> tuple[float, float]:
    return finding.number("used in training").value, finding.number("nearly the same as training images").value


def test_training_images_saved_again_were_seen(run: Run, tmp_path: Path) -> None:
    finding = accuracy(run, saved_again(run, tmp_path, ("train", "validation")))
    assert counted(finding) == (finding.number("accuracy").n,) * 2 and finding.verdict == "warn"
    assert "never seen" not in str(finding) and "this inflates the score" in str(finding)
    assert ImageClassifier.load(run.path).evaluate(tmp_path) == finding


def test_test_images_saved_again_and_fresh_ones_were_not(run: Run, tmp_path: Path) -> None:
    again = accuracy(run, saved_again(run, tmp_path / "test", ("test",)))
    fresh = accuracy(run, textured(tmp_path / "fresh", 10, seed=77))
    for finding in (again, fresh):
        assert counted(finding) == (0, 0) and "images it had never seen" in str(finding)


def test_the_same_bytes_are_told_apart_from_near_copies(run: Run, tmp_path: Path) -> None:
    where = saved_again(run, tmp_path, ("train",))
    first = next(iter(sorted((run.path.parents[1] / "data").rglob("*.png"))))
    with open(run.split_file, newline="") as stream:
        used = next(row["file"] for row in csv.DictReader(stream) if row["part"] == "train")
    (where / Path(used).parent.name / "bytes.png").write_bytes((first.parents[1] / used).read_bytes())
    used_in_training, nearly = counted(accuracy(run, where))
    assert used_in_training - nearly == 1
    assert "1 are the same byte for byte" in str(accuracy(run, where).details[0])


def test_a_run_without_prints_claims_less(run: Run, tmp_path: Path) -> None:
    kept = run.prints_file.read_bytes()
    run.prints_file.unlink()
    finding = accuracy(run, saved_again(run, tmp_path, ("train",)))
    run.prints_file.write_bytes(kept[:100])
    with pytest.raises(RunError) as error:
        accuracy(run, tmp_path)
    run.prints_file.write_bytes(kept)
    assert (
        finding.verdict != "ok"
        and "near-duplicates cannot be recognised" in str(finding)
        and "never seen" not in str(finding)
    )
    assert error.value.code == "L561"


def test_only_images_of_other_parts_than_the_test_are_kept(run: Run) -> None:
    with open(run.split_file, newline="") as stream:
        used = sum(row["part"] != "test" for row in csv.DictReader(stream))
    assert np.load(run.prints_file).shape == (used, 4) and run.prints_file.stat().st_size < 32 * used + 200


def test_where_the_split_does_not_look_for_near_copies_it_does_not_either(tmp_path: Path) -> None:
    with quick_judge():
        run, _ = trained(noise(tmp_path / "data", a=12, b=12))
    assert np.load(run.prints_file).shape == (0, 4)
    assert counted(accuracy(run, saved_again(run, tmp_path / "again", ("train",)))) == (0, 0)
    assert counted(accuracy(run, tmp_path / "data"))[0] == sum(
        ",test," not in line for line in run.split_file.read_text().splitlines()[1:]
    )


def test_near_copies_among_many_are_found() -> None:
    """More than are compared pair by pair: the index of data/near_duplicates.py finds what every pair would."""
    random = np.random.default_rng(0)
    known = random.integers(0, 2**63, (9000, 4), dtype=np.uint64)
    prints = random.integers(0, 2**63, (500, 4), dtype=np.uint64)
    for k in range(200):  # twelve bits of a known one
        bits = random.choice(256, 12, replace=False)
        prints[k] = known[k * 7]
        for bit in bits.tolist():
            prints[k, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    found = find_known(known, prints)
    assert found.tolist() == [True] * 200 + [False] * 300
    assert {int(j) for _, j in find_every_pair(np.concatenate([known[: 7 * 200 : 7], prints[:200]]))} == set(
        range(200, 400)
    )
    chained = np.stack(
        [
            known[0] ^ np.array([2**40 - 1, 0, 0, 0], np.uint64),
            known[0] ^ np.array([2**40 - 1, 2**40 - 1, 0, 0], np.uint64),
        ]
    )
    assert find_known(known[:1], chained).tolist() == [True, True]  # as a burst stays on one side of a split
    assert not find_known(np.zeros((0, 4), np.uint64), prints).any() and not len(find_known(known, prints[:0]))


def test_no_praise_rests_on_images_that_were_learned_from() -> None:
    praise, alarm = (
        Finding("calibration", "ok", message("Its probabilities can be believed.")),
        Finding("classes", "warn", message("A class falls behind.")),
    )
    told = _unflattered(praise, 60)
    assert told.verdict == "unknown" and str(told) == (
        "The training used 60 of these images, or nearly the same ones, which makes this look better than it is: Its "
        "probabilities can be believed."
    )
    assert (
        _unflattered(alarm, 60) is alarm and _unflattered(praise, 0) is praise and _unflattered(praise, None) is praise
    )
