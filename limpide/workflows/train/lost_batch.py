"""A training that ends because its loss is lost: the batch that did it, and the best weights so far, are kept."""

from __future__ import annotations

from safetensors.torch import save

from limpide.core.errors import TrainingError
from limpide.core.events import Epoch
from limpide.data.split_file import write_rows
from limpide.system.files import write_bytes
from limpide.text.messages import N_
from limpide.training.batches import Batches
from limpide.training.rollback import GAVE_UP
from limpide.training.state import TrainState
from limpide.workflows.train.context import TrainContext

LOST_BATCH = "lost-batch.csv"


def keep_what_is_left(job: TrainContext, state: TrainState, batches: Batches, error: TrainingError) -> TrainingError:
    """The error with what to do next; those that are not about the loss are returned as they are."""
    if error.code != GAVE_UP:
        return error
    file = job.run.path / LOST_BATCH
    update = min(state.position, len(batches) - 1)  # after the last one of an epoch: it made the weights infinite
    rows = batches.rows[batches.picked(batches.order(job.recipe.seed, state.epoch), update)].tolist()
    names, labels, classes = job.dataset.images.names, job.dataset.labels, job.dataset.classes
    write_rows(file, ("file", "label"), ((names[row], classes[labels[row]]) for row in rows))
    todo = N_("try --lr {lr:number} or --clip 1, and look at the images that are named in {file}")
    epoch = _keep_best(job, state)
    if epoch:
        todo = N_(
            "try --lr {lr:number} or --clip 1, and look at the images that are named in {file}; the best weights so "
            "far are kept: limpide export {run} --epoch {epoch}"
        )
    run = str(job.run.path)
    return TrainingError(
        error.code, where=error.where, todo=todo, lr=state.lr / 2, file=str(file), run=run, epoch=epoch
    )


def _keep_best(job: TrainContext, state: TrainState) -> int:
    """Keep the best weights as those after their epoch, whose number, from 1, is returned; 0 before the first one."""
    job.run.sync()
    steps = [event.step for event in job.run.events() if isinstance(event, Epoch) and event.n == state.best_epoch]
    if not steps:
        return 0
    weights = {name: value.detach().cpu().contiguous() for name, value in state.best.items()}
    write_bytes(job.run.snapshots / f"step-{steps[-1]:08d}.safetensors", save(weights))
    return state.best_epoch + 1
