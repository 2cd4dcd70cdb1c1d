"""Folders and tables as people unpack them, of files that nobody opens, and what was understood of them."""

from __future__ import annotations

import re
from pathlib import Path

from limpide.data.dataset import PARTS, Dataset

JPEG, XML = b"\xff\xd8\xff\xe0 not looked at", b"<annotation>\n</annotation>\n"


def made(root: Path, *names: str, data: bytes = JPEG) -> Path:
    """Files of these names, as `expanded` reads them."""
    for file in [root / each for name in names for each in expanded(name)]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root


def expanded(name: str) -> list[str]:
    """As a shell does: {1..4} is each number, {cat,dog} each word."""
    found = re.search(r"\{([^{}]*)\}", name)
    if not found:
        return [name]
    low, dots, high = found[1].partition("..")
    each = map(str, range(int(low), int(high) + 1)) if dots else found[1].split(",")
    return [one for word in each for one in expanded(name[: found.start()] + word + name[found.end() :])]


def summed(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Part → class → images."""
    found: dict[str, dict[str, int]] = {}
    for label, part in zip(dataset.labels, dataset.given, strict=True):
        own = found.setdefault(PARTS[part], {})
        own[dataset.classes[label]] = own.get(dataset.classes[label], 0) + 1
    return found


def grouped(dataset: Dataset) -> dict[str, int]:
    """First folder that differs → its group; names → number."""
    assert dataset.groups is not None
    return {name: int(group) for name, group in zip(dataset.images.names, dataset.groups, strict=True)}


TWO = {"cat": 4, "dog": 4}


def tabled(root: Path, header: str, *rows: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    """rows: with {k} from 1 to 4 for each."""
    lines = [*([header] if header else []), *(row.replace("{k}", str(k)) for k in range(1, 5) for row in rows)]
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes("\n".join([*lines, ""]).encode(encoding))
    return root
