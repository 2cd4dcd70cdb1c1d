"""export: copy the sealed file of a run to where it is needed."""

from __future__ import annotations

from pathlib import Path

from limpide.core.errors import UsageError
from limpide.deploy.load import load_predictor
from limpide.system.files import write_bytes


def export(run: str, file: Path) -> Path:
    """Return the copy; if `file` is a folder, the copy is named after the run. Raises UsageError if the folder does not
    exist or the name does not end in .onnx.
    """
    source = load_predictor(run).file
    if file.is_dir():
        path = Path(run).resolve()
        file = file / f"{path.stem if path.is_file() else path.name}.onnx"
        if file.exists() and file.read_bytes() != source.read_bytes():  # the user did not choose this name
            raise UsageError("L120", where=file, run=run)
    if file.suffix != ".onnx" or not file.parent.is_dir():
        raise UsageError("L111", where=file)
    write_bytes(file, source.read_bytes())
    return file
