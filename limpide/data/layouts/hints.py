"""What the user says about the arrangement of the data, where it cannot be seen from them or is read wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe

PARTS = ("train", "validation", "test")
LOOSE = "good"  # the class that a training gives to images in no folder: good parts


@dataclass(frozen=True)
class Hints:
    """ "" and "auto": limpide decides."""

    groups: str = "auto"  # columns of a table whose values stay in one part, separated by commas; or none
    parts: str = "auto"  # FOLDER=train,FOLDER=test, or none: the outer folders are classes
    good: str = ""  # the class of images in no folder; "": such images are refused
    file_column: str = ""
    label_column: str = ""
    split_column: str = ""
    images: str = ""  # the folder of the files of a table
    suffix: str = ""  # the end of the file names that a table omits: .jpg

    @classmethod
    def of(cls, recipe: Recipe) -> Hints:
        return cls(**{each.name: getattr(recipe, each.name) for each in fields(cls)})

    def named_parts(self) -> Mapping[str, str]:
        """Folder → part. Raises UsageError."""
        if self.parts in ("auto", "none", ""):
            return {}
        parts = {}
        for word in self.parts.split(","):
            folder, sign, part = (side.strip() for side in word.rpartition("="))
            if not sign or not folder or part not in PARTS:
                raise UsageError("L146", where=f"parts={self.parts}")
            parts[folder] = part
        return parts

    @property
    def of_a_table(self) -> list[str]:
        """The given options that only apply to a table."""
        options = {
            "--file-column": self.file_column,
            "--label-column": self.label_column,
            "--split-column": "" if self.split_column == "none" else self.split_column,
            "--images": self.images,
        }
        return [name for name, value in {**options, "--suffix": self.suffix}.items() if value]

    def refuse_columns(self) -> None:
        """Raises UsageError for options that only apply to a table."""
        if self.groups not in ("auto", "none"):
            raise UsageError("L119", where=f"groups={self.groups}", groups=self.groups)
        if options := self.of_a_table:
            raise UsageError("L148", where=", ".join(options))
