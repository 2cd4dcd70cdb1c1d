"""Every error by its code: what it says, what to do, and the explanation that docs/reference/errors.md is written from.

A new error is one entry here; `python -m tests.errors_page` (part of `make messages`) then writes the page.
"""

from limpide.core.error_table.data import DATA_ERRORS
from limpide.core.error_table.entry import ErrorEntry
from limpide.core.error_table.model import MODEL_ERRORS
from limpide.core.error_table.run import RUN_ERRORS
from limpide.core.error_table.training import TRAINING_ERRORS
from limpide.core.error_table.usage import USAGE_ERRORS

ERRORS: dict[str, ErrorEntry] = USAGE_ERRORS | DATA_ERRORS | MODEL_ERRORS | RUN_ERRORS | TRAINING_ERRORS
