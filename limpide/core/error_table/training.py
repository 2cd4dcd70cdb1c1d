"""What a TrainingError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as
long as there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

TRAINING_ERRORS = {
    "L601": ErrorEntry(
        what=N_("the loss is not a number any more"),
        todo=N_("train with a lower --lr and --new"),
        explanation="""
        The steps were so large that the weights ran away. Train again with a lower `--lr` and `--new`; the
        checkpoint before it is kept.
        """,
    ),
}
