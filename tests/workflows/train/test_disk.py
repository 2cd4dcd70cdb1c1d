"""Cases 62 to 65: the disk is full, may not be written or fails. What was saved before is whole, and the same command
goes on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from limpide.training.checkpoint import load_checkpoint
from tests.make_images import photo_folder
from tests.runner import QUICK, QUICKLY, REFUSES, essence, info_of, limpide

OPTIONS = (
    "--model",
    "cnn",
    "--image-size",
    16,
    "--batch",
    8,
    "--epochs",
    120,
    "--patience",
    120,
    "--precision",
    "fp32",
)
PLACES = [("ENOSPC", "/checkpoint/", 1, "L514"), ("EIO", "model.onnx", 0, "L515")]
if os.environ.get("LIMPIDE_SOAK"):
    PLACES += [
        ("EIO", "/checkpoint/", 2, "L515"),
        ("ENOSPC", "split.csv", 0, "L514"),
        ("EIO", "run.json", 7, "L515"),
        ("ENOSPC", "report.html", 0, "L514"),
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("disk")
    photo_folder(cwd / "shapes", per_class=12, size=(16, 16))
    return cwd


@pytest.fixture(scope="module")
def reference(place: Path) -> dict[str, Any]:
    limpide("train", "shapes", "--runs", "reference", *OPTIONS, cwd=place, program=QUICKLY)
    return essence(place / "reference" / "shapes-001")


@pytest.mark.parametrize(
    ("error", "where", "after", "code"), PLACES, ids=[f"{error} {where.strip('/')}" for error, where, *_ in PLACES]
)
def test_a_failed_save_is_told_and_loses_nothing(
    place: Path, reference: dict[str, Any], error: str, where: str, after: int, code: str
) -> None:
    """Cases 62 and 65. A failed fsync is a failed save."""
    runs = f"runs-{code}-{after}-{len(where)}"  # a name that holds none of `where`
    command = ("train", "shapes", "--runs", runs, *OPTIONS)
    stopped = limpide(*command, cwd=place, status=5, program=("-c", QUICK + REFUSES, error, where, str(after)))
    line = stopped.stderr.strip().splitlines()[-1]
    assert (
        line.startswith("limpide: ") and f"[{code}]" in line and where in line and "run the same command again" in line
    )
    run = place / runs / "shapes-001"
    assert info_of(run)["status"] != "finished" and not list(run.rglob(".*.tmp")), "no half a file stays"
    if where == "/checkpoint/":
        saved = load_checkpoint(run / "checkpoint")
        assert saved is not None and not saved.damaged and saved.numbers["step"] >= after, "the save before is whole"
    limpide(*command, cwd=place, program=QUICKLY)
    assert essence(run) == reference


NO_ROOM = """
import errno, os, sys
from limpide.cli import main

def refused(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

os.posix_fallocate = refused
main()
"""


def test_no_room_for_decoded_pixels_is_said_and_costs_only_time(
    place: Path, reference: dict[str, Any], tmp_path: Path
) -> None:
    """Case 63: the cache goes off, and the network is the same."""
    done = limpide(
        "train",
        "shapes",
        "--runs",
        "crowded",
        *OPTIONS,
        cwd=place,
        program=("-c", QUICK + NO_ROOM),
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert "decoded" in done.stdout, done.stdout
    found = essence(place / "crowded" / "shapes-001")
    assert {k: found[k] for k in ("snapshots/best.safetensors", "split.csv")} == {
        k: reference[k] for k in ("snapshots/best.safetensors", "split.csv")
    }


READ_ONLY = """
import errno, os, sys
from limpide.cli import main

mkdir = os.mkdir

def refused(path, *rest, **more):
    if "locked" in os.fspath(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))
    mkdir(path, *rest, **more)

os.mkdir = refused
main()
"""


def test_a_folder_that_may_not_be_written_is_told_before_any_work(place: Path) -> None:
    """Case 64."""
    done = limpide("train", "shapes", "--runs", "locked", *OPTIONS, cwd=place, status=5, program=("-c", READ_ONLY))
    assert (
        "[L501]" in done.stderr
        and "--runs" in done.stderr
        and len(done.stderr.strip().splitlines()) == 1
        and not done.stdout
    )
