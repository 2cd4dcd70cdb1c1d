"""The same photos, arranged and packed in the ways in which people keep them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.errors import LimpideError
from limpide.data.dataset import PARTS, Dataset
from limpide.data.layouts.scan import scan

Rows = list[tuple[str, str]]  # (label, part), sorted


def rows(dataset: Dataset) -> Rows:
    return sorted((dataset.classes[k], PARTS[p]) for k, p in zip(dataset.labels, dataset.given, strict=True))


def pixels(dataset: Dataset) -> set[bytes]:
    return {dataset.images.image(i).tobytes() for i in range(len(dataset))}


def move(photos: Path, rename: Callable[[str, int], str]) -> Path:
    """The same photos under other names: rename(class, number) → path below the new folder."""
    target = photos.parent / "arranged"
    for file in sorted(photos.rglob("*.png")):
        place = target / rename(file.parent.name, int(file.stem))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    return target


def table(
    photos: Path, header: str, row: Callable[[str, str, int], str], name: str = "labels.csv", encoding: str = "utf-8"
) -> Path:
    files = sorted(photos.rglob("*.png"))
    lines = [header, *(row(f"{file.parent.name}/{file.name}", file.parent.name, int(file.stem)) for file in files)]
    (photos / name).write_text("\n".join(lines) + "\n", encoding=encoding)
    return photos / name


def zipped(photos: Path, inside: str = "") -> Path:
    target = photos.parent / "photos.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted(photos.rglob("*.png")):
            made.write(file, f"{inside}{file.parent.name}/{file.name}")
    return target


def tarred(photos: Path, suffix: str) -> Path:
    target = photos.parent / f"photos{suffix}"
    with tarfile.open(
        target, "w:" + {".tar": "", ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}[suffix]
    ) as made:
        made.add(photos, "photos")
    return target


def parquet(photos: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    found = sorted(photos.rglob("*.png"))
    columns = {"file": [f"{f.parent.name}/{f.name}" for f in found], "label": [f.parent.name for f in found]}
    files.write_table(pyarrow.table(columns), photos / "labels.parquet")
    return photos / "labels.parquet"


def part(k: int) -> str:
    return "test" if k == 3 else "train"


FREE: Rows = [("disc", "")] * 4 + [("square", "")] * 4
PARTED: Rows = sorted((name, part(k)) for name in ("disc", "square") for k in range(4))


def told(path: Path, **options: str) -> LimpideError:
    with pytest.raises(LimpideError) as error:
        scan(path, **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    return error.value


def picture(seed: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()
