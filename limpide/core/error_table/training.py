"""What a TrainingError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as
long as there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

TRAINING_ERRORS = {
    "L601": ErrorEntry(
        what=N_("the loss is not a finite number, or exploded, although the learning rate was halved three times"),
        todo=N_("try a lower --lr, or --clip 1, and look at the images"),
        explanation="""
        The loss of this step was not a finite number, or more than a thousand times that of the first step. Three times
        before, training had gone back to the best weights (before the first epoch ends: to the initial ones) with half
        the learning rate, and on. No weights were changed by such a loss.

        `lost-batch.csv` in the folder of the run names the images of the last batch that did it. Look at them, train
        with the lower `--lr` that the message names, or bound the gradients with `--clip 1`. The weights after the best
        epoch are kept: `limpide export RUN --epoch N` makes a file of them.
        """,
    ),
    "L602": ErrorEntry(
        what=N_("the memory does not suffice, not even for parts of two images"),
        todo=N_("use a smaller --batch or --image-size, or free memory, and type the same command again"),
        explanation="""
        Where the memory does not suffice for the images of a step, they pass through the network in two parts, in four,
        and so on, and the gradients of the parts are added, as with `--accumulate`. Not even two images fit here. A
        smaller `--image-size` helps most, as memory grows with its square; so does a smaller network. See whether other
        programs hold the memory.
        """,
    ),
    "L603": ErrorEntry(
        what=N_("the validation loss is not a finite number, not even with earlier weights"),
        todo=N_("look at the validation images (split.csv in the folder of the run names them), and at your network"),
        explanation="""
        The training loss is finite, and so are the weights, but the network answers a validation image with values
        that are not finite. This comes from a network that divides by what may be 0, such as the spread of an image
        of a single color.
        """,
    ),
}
