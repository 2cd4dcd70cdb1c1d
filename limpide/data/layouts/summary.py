"""The facts found in a data set, before anything is judged: classes, parts, groups, their source, and what was
ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from limpide.data.dataset import PART_NAMES, PARTS, Dataset
from limpide.data.layouts.ignored_files import Ignored
from limpide.text.messages import N_, Message, message

MAX_NAMES = 12  # of classes, and of ignored kinds, in a sentence


@dataclass(frozen=True)
class DatasetSummary:
    """classes, parts: name → images · groups: their number, None if nothing says what belongs together · by: the source
    of the groups
    """

    images: int
    classes: dict[str, int]
    parts: dict[str, int]
    groups: int | None
    by: str
    ignored: list[Ignored]
    notes: list[Message]

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetSummary:
        counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
        parts = {
            PARTS[k]: int(n) for k, n in enumerate(np.bincount(dataset.given, minlength=len(PARTS))) if n and PARTS[k]
        }
        together = None if dataset.groups is None else len(np.unique(dataset.groups[dataset.groups >= 0]))
        return cls(
            len(dataset),
            dict(zip(dataset.classes, counts.tolist(), strict=True)),
            parts,
            together,
            dataset.grouped_by,
            [*dataset.ignored],
            [*dataset.notes],
        )

    def says(self) -> list[Message]:
        """The summary, one message per line."""
        return [self.in_one_line(), *self.notes, *self._passed_over()]

    def in_one_line(self) -> Message:
        values: dict[str, Any] = {"n": self.images, "k": len(self.classes), "names": self._names().to_json()}
        if self.parts:
            parts = _join_with_commas(
                [
                    message(N_("{name}: {n:count}"), name=message(PART_NAMES[part]).to_json(), n=n)
                    for part, n in self.parts.items()
                ]
            )
            return message(
                N_("{n:count} images in {k:count} classes ({names}); parts: {parts}"), parts=parts.to_json(), **values
            )
        if self.groups is not None:
            by = message(N_("folder")).to_json() if self.by == "folder" else self.by
            return message(
                N_("{n:count} images in {k:count} classes ({names}) and {groups:count} groups (by {by})"),
                groups=self.groups,
                by=by,
                **values,
            )
        if len(self.classes) == 1:
            return message(
                N_("{n:count} image in one class, {name}"),
                N_("{n:count} images in one class, {name}"),
                n=self.images,
                name=next(iter(self.classes)),
            )
        return message(N_("{n:count} images in {k:count} classes ({names})"), **values)

    def _names(self) -> Message:
        """The first classes with their number of images."""
        names = [message(N_("{name}: {n:count}"), name=name, n=n) for name, n in list(self.classes.items())[:MAX_NAMES]]
        return _join_with_commas([*names, message("…")] if len(self.classes) > MAX_NAMES else names)

    def _passed_over(self) -> list[Message]:
        messages = []
        for one in self.ignored[:MAX_NAMES]:
            values: dict[str, Any] = {"what": one.what, "n": one.n, "why": message(one.why).to_json()}
            if one.n:
                messages.append(
                    message(
                        N_("ignored: {what}, {n:count} file ({why})"),
                        N_("ignored: {what}, {n:count} files ({why})"),
                        **values,
                    )
                )
            else:
                messages.append(message(N_("ignored: {what} ({why})"), **values))
        if len(self.ignored) > MAX_NAMES:
            messages.append(
                message(
                    N_("ignored: {n:count} more kinds of file or folder (--json lists them)"),
                    n=len(self.ignored) - MAX_NAMES,
                )
            )
        return messages

    def to_json(self) -> dict[str, Any]:
        return {
            "classes": sorted(self.classes),
            "parts": sorted(self.parts),
            "groups": None if self.groups is None else {"count": self.groups, "by": self.by},
            "ignored": [{"what": one.what, "files": one.n, "why": message(one.why).to_json()} for one in self.ignored],
            "notes": [{"says": str(note), **note.to_json()} for note in self.notes],
        }


def _join_with_commas(messages: Sequence[Message]) -> Message:
    return reduce(
        lambda before, part: message(N_("{before}, {part}"), before=before.to_json(), part=part.to_json()), messages
    )
