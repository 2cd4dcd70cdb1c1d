"""Which file a cell of a table means. One rule holds for a whole table: a rule for each row would take a neighbor for a missing file.

Tables come from other machines and other folders: ids without an ending, C:\\Users\\me\\img\\1.jpg, img/1.JPG, a web address.
The first rule by which most rows find a file is taken, and said.
"""

from __future__ import annotations

import difflib
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limpide.data.words import PICTURES, ending, part_of, stem

MOST = 0.5  # share of the rows that have to find a file
TRIED = 200  # rows that a rule is tried on
DEEPEST = 8  # folders in front of a name that are taken away, one after the other


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
        """pictures: their names relative to root, asked for only where cells are no paths. part: that the table's own name says."""
        self.root, self._pictures, self.suffix, self._part = root, pictures, suffix, part
        self._by: dict[str, dict[str, str]] | None = None

    def find(self, cells: Sequence[str]) -> Found:
        names = [plain(cell) for cell in cells]
        tried = names[:: max(1, len(names) // TRIED)]
        as_they_stand = [self._exact(name) for name in names]
        if sum(map(bool, as_they_stand)) > MOST * len(names):
            return Found(as_they_stand)
        best: tuple[float, str] = (0.0, "")
        for rule in ("path", *(f"without {k}" for k in range(1, DEEPEST)), "name", "stem"):
            share = sum(bool(self._look(rule, name)) for name in tried) / max(1, len(tried))
            best = max(best, (share, rule), key=lambda one: one[0])  # of equals, the first
        if best[0] <= MOST:
            return Found(as_they_stand)
        return Found([self._look(best[1], name) for name in names], best[1])

    def nearest(self, cell: str) -> str:
        """The picture whose name is most like that of this cell; "" of none."""
        names = {os.path.basename(name): name for name in self._pictures()}  # noqa: PTH119
        close = difflib.get_close_matches(os.path.basename(plain(cell)), list(names)[:20_000], 1, 0.0)  # noqa: PTH119
        return names[close[0]] if close else ""

    def _exact(self, name: str) -> str:
        """As it stands, with the suffix that the user gave."""
        name = os.path.normpath(name + self.suffix)
        inside = not os.path.isabs(name) and not name.startswith("..")  # noqa: PTH117
        return name if inside and os.path.isfile(self.root / name) else ""  # noqa: PTH113

    def _look(self, rule: str, name: str) -> str:
        index = self._index()
        kind, _, times = rule.partition(" ")
        if kind == "without":
            parts = name.split("/")[int(times) :]
            return index["path"].get("/".join(parts).lower() + self.suffix.lower(), "") if len(parts) > 1 else ""
        if kind == "path":
            return index["path"].get(name.lower() + self.suffix.lower(), "")
        if kind == "name":
            return index["name"].get(name.rsplit("/", 1)[-1].lower() + self.suffix.lower(), "")
        return index["stem"].get(stem(name) if ending(name) in PICTURES else name.rsplit("/", 1)[-1].lower(), "")

    def _index(self) -> dict[str, dict[str, str]]:
        """Only what one picture alone has: of two of one name, neither is meant. Those in a folder of the table's own part go first."""
        if self._by is None:
            every = list(self._pictures())
            own = [name for name in every if self._part and (one := part_of(name.split("/")[0])) and one[0] == self._part]
            self._by = {"path": {}, "name": {}, "stem": {}}
            for names in (own, every):
                for key, short in (("path", str.lower), ("name", lambda name: name.rsplit("/", 1)[-1].lower()), ("stem", stem)):
                    several: dict[str, list[str]] = defaultdict(list)
                    for name in names:
                        several[short(name)].append(name)
                    for short_name, some in several.items():
                        if len(some) == 1:
                            self._by[key].setdefault(short_name, some[0])
        return self._by


def plain(cell: str) -> str:
    """A path of any system, or the path of a web address, with "/" between its parts."""
    name = cell.strip().replace("\\", "/")
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0].split("#", 1)[0]
    return name[2:] if name.startswith("./") else name
