"""What several tests of the data room begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.make_images import photo_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", per_class=4, classes=("disc", "square"))
