"""The file that a cell of a table means. One rule holds for a whole table: with a rule for each row, a similar file
could replace a missing one.

Tables come from other machines and other folders: ids without an ending, C:\\Users\\me\\img\\1.jpg, img/1.JPG, a web
address. The rule by which most rows find a file is chosen (the first of equals), and reported. Pictures of a part that
is not the part of the table, and masks and thumbnails, are only searched if the others have fewer of its files.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limpide.data.layouts.ignored_files import sift_files
from limpide.data.layouts.name_words import PICTURES, ending, normalized, part_of, stem

MIN_SHARE_AS_WRITTEN = 0.5  # share of the rows that find a file as written; above it, the other files are missing
MIN_SHARE_BY_RULE = 0.2  # share of the rows that must find a file by another rule; few do so by chance
TRIED = 200  # rows that a rule is tried on
MAX_DEPTH = 8  # leading folders of a path that are removed, one after the other


@dataclass(frozen=True)
class Found:
    """files: relative to the root, "" if there is none · rule: "" if the cells are the paths as written."""

    files: list[str]
    rule: str = ""

    @property
    def share(self) -> float:
        return sum(map(bool, self.files)) / max(1, len(self.files))


class Places:
    """The pictures below a folder, searched by path, by the end of a path, by name, and by name without ending."""

    def __init__(self, root: Path, pictures: Callable[[], Sequence[str]], suffix: str = "", part: str = "") -> None:
        """pictures: returns their names relative to root; called only if cells are not paths. part: the part in the
        table's own name.
        """
        self.root, self._pictures, self.suffix, self._part = root, pictures, suffix, part
        self._by: list[list[str]] | None = None
        self._indices: dict[tuple[int, str], dict[str, str]] = {}

    def find(self, cells: Sequence[str]) -> Found:
        names = [plain(cell) for cell in cells]
        tried = names[:: max(1, len(names) // TRIED)]
        as_they_stand = [self._find_exact(name) for name in names]
        if sum(map(bool, as_they_stand)) > MIN_SHARE_AS_WRITTEN * len(names):
            return Found(as_they_stand)
        best: tuple[float, str, int] = (0.0, "", 0)
        for pool in range(len(self._list_pools())):
            for rule in ("path", *(f"without {k}" for k in range(1, MAX_DEPTH)), "name", "stem", "number"):
                share = sum(bool(self._look(rule, name, pool)) for name in tried) / max(1, len(tried))
                best = max(best, (share, rule, pool), key=lambda one: one[0])  # a tie keeps the first
        if best[0] < MIN_SHARE_BY_RULE or (best[0] <= MIN_SHARE_AS_WRITTEN and any(as_they_stand)):
            return Found(as_they_stand)
        return Found([self._look(best[1], name, best[2]) for name in names], best[1])

    def nearest(self, cell: str) -> str:
        """The picture whose name is most similar to this cell; "" if there are no pictures."""
        names = {
            os.path.basename(name): name
            for name in reversed([name for pool in reversed(self._list_pools()) for name in pool])
        }
        close = difflib.get_close_matches(os.path.basename(plain(cell)), list(names)[:20_000], 1, 0.0)
        return names[close[0]] if close else ""

    def called(self, cells: Sequence[str]) -> list[str]:
        """The pictures named by the first of these cells that has any, with or without their ending."""
        several: dict[str, list[str]] = defaultdict(list)
        for each in self._list_pools()[-1]:
            name = normalized(each.rsplit("/", 1)[-1]).lower()
            for key in {name, stem(name)}:
                several[key].append(each)
        names = (normalized(plain(cell)).rsplit("/", 1)[-1].lower() for cell in cells)
        return next((several[name] for name in names if name in several), [])

    def _find_exact(self, name: str) -> str:
        """The path as written, with the suffix that the user gave; "" if there is no such file."""
        name = os.path.normpath(name + self.suffix)
        inside = not os.path.isabs(name) and not name.startswith("..")  # noqa: PTH117
        return name if inside and os.path.isfile(self.root / name) else ""  # noqa: PTH113

    def _look(self, rule: str, name: str, pool: int) -> str:
        name, suffix = normalized(name).lower(), self.suffix.lower()
        kind, _, times = rule.partition(" ")
        if kind == "without":
            parts = name.split("/")[int(times) :]
            return self._index(pool, "path").get("/".join(parts) + suffix, "") if len(parts) > 1 else ""
        if kind == "path":
            return self._index(pool, "path").get(name + suffix, "")
        last = name.rsplit("/", 1)[-1]
        if kind == "name":
            return self._index(pool, "name").get(last + suffix, "")
        bare = stem(name) if ending(name) in PICTURES else last
        return self._index(pool, kind).get(bare if kind == "stem" else _read_number(bare), "")

    def _list_pools(self) -> list[list[str]]:
        """Pictures that the table may mean, the likeliest first: those of its own part (of training, if it names none),
        all but masks and the like, all.
        """
        if self._by is None:
            every = list(self._pictures())
            pictures = [every[i] for i in sift_files([tuple(name.split("/")) for name in every]).pictures]
            part = self._part or "train"
            of_part = [
                name
                for name in pictures
                if (part_of_name := _part_in(name)) == part or (part == "train" and not part_of_name)
            ]
            self._by = [
                pool for pool, before in ((of_part, None), (pictures, of_part), (every, pictures)) if pool != before
            ]
        return self._by

    def _index(self, pool: int, kind: str) -> dict[str, str]:
        """Key → picture, only for keys of a single picture: if two share a name, neither is meant."""
        if (pool, kind) not in self._indices:
            several: dict[str, list[str]] = defaultdict(list)
            for name in self._list_pools()[pool]:
                plain_name = normalized(name).lower()
                several[_KEYS[kind](plain_name)].append(name)
            self._indices[pool, kind] = {key: names[0] for key, names in several.items() if key and len(names) == 1}
        return self._indices[pool, kind]


def _part_in(name: str) -> str:
    """The part in the name of one of the folders of a picture; "" if there is none."""
    return next((part[0] for folder in name.split("/")[:-1] if (part := part_of(folder)) and not part[1]), "")


def _read_number(name: str) -> str:
    """7 for 7, 007 and 7.0, as programs write numbers; "" for other texts."""
    match = re.fullmatch(r"0*(\d+)(\.0+)?", name)
    return match.group(1) if match else ""


_KEYS: dict[str, Callable[[str], str]] = {
    "path": str,
    "name": lambda name: name.rsplit("/", 1)[-1],
    "stem": stem,
    "number": lambda name: _read_number(stem(name)),
}


def plain(cell: str) -> str:
    """A path of any system, or the path of a web address, with "/" between its components."""
    name = cell.strip().replace("\\", "/")
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0].split("#", 1)[0]
    return name[2:] if name.startswith("./") else name
