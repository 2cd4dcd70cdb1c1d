"""Which file a cell of a table means. One rule holds for a whole table: a rule for each row would take a neighbor for a
missing file.

Tables come from other machines and other folders: ids without an ending, C:\\Users\\me\\img\\1.jpg, img/1.JPG, a web
address. The rule by which most rows find a file is taken, of equals the first, and said. Pictures of a part that the
table is not of, and masks and thumbnails, are asked only where the others have fewer of its files.
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

MIN_SHARE_AS_WRITTEN = 0.5  # share of the rows that find a file as they stand: then the others are missing
MIN_SHARE_BY_RULE = 0.2  # share of the rows that have to find a file by another rule, which few rows do by chance
TRIED = 200  # rows that a rule is tried on
MAX_DEPTH = 8  # folders in front of a name that are taken away, one after the other


@dataclass(frozen=True)
class Found:
    """files: relative to the root, "" where there is none · rule: "" where the cells are the paths as they stand."""

    files: list[str]
    rule: str = ""

    @property
    def share(self) -> float:
        return sum(map(bool, self.files)) / max(1, len(self.files))


class Places:
    """The pictures below a folder, looked up by path, by the end of a path, by name, and by name without ending."""

    def __init__(self, root: Path, pictures: Callable[[], Sequence[str]], suffix: str = "", part: str = "") -> None:
        """pictures: their names relative to root, asked for only where cells are no paths. part: that the table's own
        name says.
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
                best = max(best, (share, rule, pool), key=lambda one: one[0])  # of equals, the first
        if best[0] < MIN_SHARE_BY_RULE or (best[0] <= MIN_SHARE_AS_WRITTEN and any(as_they_stand)):
            return Found(as_they_stand)
        return Found([self._look(best[1], name, best[2]) for name in names], best[1])

    def nearest(self, cell: str) -> str:
        """The picture whose name is most like that of this cell; "" of none."""
        names = {
            os.path.basename(name): name
            for name in reversed([name for pool in reversed(self._list_pools()) for name in pool])
        }
        close = difflib.get_close_matches(os.path.basename(plain(cell)), list(names)[:20_000], 1, 0.0)
        return names[close[0]] if close else ""

    def called(self, cells: Sequence[str]) -> list[str]:
        """The pictures of the name of the first of these cells of which there are some, with their ending
        or without.
        """
        several: dict[str, list[str]] = defaultdict(list)
        for each in self._list_pools()[-1]:
            name = normalized(each.rsplit("/", 1)[-1]).lower()
            for key in {name, stem(name)}:
                several[key].append(each)
        names = (normalized(plain(cell)).rsplit("/", 1)[-1].lower() for cell in cells)
        return next((several[name] for name in names if name in several), [])

    def _find_exact(self, name: str) -> str:
        """As it stands, with the suffix that the user gave."""
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
        """Pictures that the table may mean, the likeliest first: of its own part (of the training, where it says none),
        all but masks and such, all.
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
        """Only what one picture alone has: of two of one name, neither is meant."""
        if (pool, kind) not in self._indices:
            several: dict[str, list[str]] = defaultdict(list)
            for name in self._list_pools()[pool]:
                plain_name = normalized(name).lower()
                several[_KEYS[kind](plain_name)].append(name)
            self._indices[pool, kind] = {key: names[0] for key, names in several.items() if key and len(names) == 1}
        return self._indices[pool, kind]


def _part_in(name: str) -> str:
    """The part that one of the folders of a picture says; "" of none."""
    return next((part[0] for folder in name.split("/")[:-1] if (part := part_of(folder)) and not part[1]), "")


def _read_number(name: str) -> str:
    """7 of 7, 007 and 7.0, as programs write numbers; "" of what is none."""
    match = re.fullmatch(r"0*(\d+)(\.0+)?", name)
    return match.group(1) if match else ""


_KEYS: dict[str, Callable[[str], str]] = {
    "path": str,
    "name": lambda name: name.rsplit("/", 1)[-1],
    "stem": stem,
    "number": lambda name: _read_number(stem(name)),
}


def plain(cell: str) -> str:
    """A path of any system, or the path of a web address, with "/" between its parts."""
    name = cell.strip().replace("\\", "/")
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0].split("#", 1)[0]
    return name[2:] if name.startswith("./") else name
