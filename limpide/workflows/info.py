"""info: the machine that limpide runs on, its choices there, and the folders that it uses."""

from __future__ import annotations

import contextlib
import platform
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from limpide.core.run import Run
from limpide.system import machine
from limpide.system.files import cache_folder
from limpide.text.language import LANGUAGES, current_language


def info(runs: Path) -> dict[str, Any]:
    """Everything as JSON; sizes in bytes, times in ISO 8601. `runs`: the folder of the runs. Nothing is changed."""
    import torch

    from limpide.training.device import choose_device, has_fast_bf16

    device, log = choose_device("auto"), error_log()
    keeps = machine.can_keep_memory()
    return {
        "machine": machine.describe(),
        "memory_bytes": machine.memory_total(),
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        "fast_bf16": has_fast_bf16(torch.device("cpu")),
        "allocator": {
            "libc": " ".join(platform.libc_ver()).strip() or platform.system(),
            "kept_by_train": keeps,
            "kept_by_predict": False,
        },
        "folders": {
            "runs": str(runs.absolute()),
            "n_runs": len(Run.all_in(runs)),
            "cache": str(cache_folder()),
            "cache_bytes": _bytes_in(cache_folder()),
            "error_log": str(log),
            "error_logged": datetime.fromtimestamp(log.stat().st_mtime, UTC).isoformat(timespec="seconds")
            if log.exists()
            else None,
        },
        "language": current_language(),
        "languages": list(LANGUAGES),
    }


def log_error(error: BaseException) -> Path:
    """Write the traceback of a bug in limpide into the error log; return the path of the log."""
    file = error_log()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return file


def error_log() -> Path:
    """The path of the log of bugs in limpide."""
    return cache_folder() / "error.log"


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process may tidy up meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total
