"""export: the sealed file of a run, copied to where it is needed."""

from __future__ import annotations

from pathlib import Path

from limpide.errors import UsageError
from limpide.files import write_bytes
from limpide.language import N_
from limpide.workflows.opening import predictor_of


def export(run: str, file: Path) -> Path:
    """Returns the file: in a folder it is named after the run. Raises UsageError where the folder does not exist or the name
    does not end in .onnx."""
    if file.is_dir():
        path = Path(run).resolve()
        file = file / f"{path.stem if path.is_file() else path.name}.onnx"
    if file.suffix != ".onnx" or not file.parent.is_dir():
        raise UsageError("L111", N_("this is no place for an exported model"), where=file, todo=N_("name a file that ends in .onnx in a folder that exists"))
    write_bytes(file, predictor_of(run).file.read_bytes())
    return file
