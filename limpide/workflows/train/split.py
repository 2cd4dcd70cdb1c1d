"""split: assign each image to a part, and record this before anything is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limpide.audit import run_facts
from limpide.audit.folder_checks import MAX_NAMES
from limpide.core.errors import DataError, RunError
from limpide.core.events import Event, Progress
from limpide.core.run import Run, damaged_file_error
from limpide.data.dataset import CALIBRATION, NO_PART, PART_NAMES, PARTS, TEST, VALIDATION
from limpide.data.folds import FOLDS, NO_FOLD, assign_folds
from limpide.data.split import Division, split
from limpide.data.split_file import check_split, earlier_parts, read_split, write_excluded, write_split
from limpide.system.files import write_atomically
from limpide.text.messages import N_, Message, message
from limpide.workflows.train.context import TrainContext

# The reasons why a part has another size than was asked for.
WHOLE = N_("each class is divided in whole images, with at least one per part")
UNCUT = N_("images that belong together stay in one part")
STAYED = N_("images stay where they were in an earlier run")
UNCUT_AND_STAYED = N_("images that belong together stay in one part, and images stay where they were in an earlier run")


@dataclass(frozen=True)
class EarlierSplit:
    """The split of the newest other run on the same data, if there is one."""

    parts: tuple[np.ndarray, np.ndarray] | None  # keys, sorted, and the part of each
    run: str  # its name, or ""
    torn: list[str]  # names of newer runs whose split is incomplete


@dataclass(frozen=True)
class _Outcome:
    """The division, and the facts with which it is compared when it is reported."""

    division: Division
    shares: Mapping[int, float]  # part → the share that was asked for
    counts: Mapping[str, int]  # part → its images
    left_out: int  # files
    inherited: str  # the earlier run, or ""
    stayed: bool  # some images kept the part they had there


def split_images(job: TrainContext) -> Iterator[Event]:
    names, dataset, image_records = job.dataset.images.names, job.dataset, job.reading.seen
    if job.done("split"):
        job.parts, job.folds = read_parts(job)
        job.dataset = dataset.learned_first(job.parts)
        return
    yield Progress(message(N_("splitting the images")))
    readable = np.flatnonzero(image_records["reason"] < 0).astype(np.int32)
    keys = np.ascontiguousarray(image_records["hash"][readable])
    earlier = EarlierSplit(None, "", []) if job.recipe.folds else find_earlier_split(job)
    for run in earlier.torn:
        says = N_("the split.csv of {run} is incomplete and is ignored: images may have been in another part there")
        yield job.say("warning", message(says, run=run))
    test, validation = job.recipe.shares()
    shares = {TEST: test, VALIDATION: validation, CALIBRATION: 0.0 if job.recipe.folds else job.recipe.calibration}
    division = _divide(job, readable, keys, shares, earlier)
    job.parts, together = np.zeros(len(names), np.uint8), np.full(len(names), -1)
    job.parts[readable], together[readable] = division.parts, division.together
    out = job.reading.failures() | {int(readable[i]): reason for i, reason in division.out.items()}
    job.folds = np.full(len(names), NO_FOLD, np.int8)
    if job.recipe.folds:
        used = division.parts != NO_PART
        folds = assign_folds(keys[used], dataset.labels[readable][used], division.together[used], job.recipe.folds)
        job.folds[readable[used]] = folds
    write_parts(job, readable, keys, division, out)
    job.dataset = dataset.learned_first(job.parts)
    _refuse_if_hopeless(job, out, together)
    yield from _say_unlearned_classes(job, dataset.classes)
    stayed = earlier.parts is not None and bool(np.isin(keys[division.parts != NO_PART], earlier.parts[0]).any())
    if stayed:
        _inherit_looks(job)
    counts = {part: len(job.rows(part)) for part in PARTS[1:]}
    left_out = len(out) + len(dataset.left_out)
    yield from _say_outcome(job, _Outcome(division, shares, counts, left_out, earlier.run, stayed))
    finding = run_facts.data_finding(counts, Counter([*out.values(), *(reason for _, reason in dataset.left_out)]))
    job.run.add_finding(finding)
    keep_prints(job, readable[(division.parts != NO_PART) & (division.parts != TEST)])
    job.enter("quote", grouped_by=dataset.grouped_by, split_rows=int((job.parts != NO_PART).sum()))


def _divide(
    job: TrainContext, readable: np.ndarray, keys: np.ndarray, shares: Mapping[int, float], earlier: EarlierSplit
) -> Division:
    """readable: int (n,), the images that can be read · keys: uint64 (n,), hash of each one's content"""
    dataset, image_records = job.dataset, job.reading.seen
    return split(
        keys,
        dataset.labels[readable],
        dataset.given[readable],
        shares,
        groups=None if dataset.groups is None else dataset.groups[readable],
        near=_places_among(job.near, readable, len(dataset.images.names)),
        prints=np.ascontiguousarray(image_records["print"][readable])
        if job.near is not None and len(job.near)
        else None,
        earlier=earlier.parts,
    )


def write_parts(
    job: TrainContext, readable: np.ndarray, keys: np.ndarray, division: Division, out: Mapping[int, str]
) -> None:
    """Write split.csv and excluded.csv. out: image → why it is left out."""
    names, dataset = job.dataset.images.names, job.dataset
    files, labels = (names[int(i)] for i in readable), (dataset.classes[int(k)] for k in dataset.labels[readable])
    write_split(job.run.split_file, files, labels, division, keys, job.folds[readable])
    write_excluded(job.run.excluded_file, [*((names[i], out[i]) for i in sorted(out)), *dataset.left_out])


def keep_prints(job: TrainContext, used: np.ndarray) -> None:
    """Save the fingerprints of the images that the model learns from; none if near duplicates mean nothing."""
    prints = job.reading.seen["print"][used] if job.near is not None else np.zeros((0, 4), np.uint64)
    write_atomically(job.run.prints_file, lambda stream: np.save(stream, prints))


def _inherit_looks(job: TrainContext) -> None:
    """Take over the count of looks at the test images: those of earlier runs on the same data stay test images."""
    others = [info for _run, info in Run.known_in(job.run.path.parent)[0] if info.location == job.dataset.location]
    looks = max((info.test_looks for info in others), default=0)
    job.run.update(test_looks=looks, test_seen_by=sorted({sealed for info in others for sealed in info.test_seen_by}))


def _say_outcome(job: TrainContext, outcome: _Outcome) -> Iterator[Event]:
    """Report how the images are divided."""
    if outcome.left_out:
        yield job.say(
            "data",
            message(
                N_("{n:count} file is left out; the reason is in excluded.csv"),
                N_("{n:count} files are left out; the reasons are in excluded.csv"),
                n=outcome.left_out,
            ),
        )
    if job.recipe.folds:
        yield from _say_folds(job)
        return
    yield from _say_what_stayed(job, outcome)
    says = (
        N_(
            "images: {train:count} for training, {validation:count} for validation, {calibration:count} for "
            "calibration, {test:count} for the final score"
        )
        if outcome.counts["calibration"]
        else N_(
            "images: {train:count} for training, {validation:count} for validation, {test:count} for the final score"
        )
    )
    yield job.say("split", Message(says, dict(outcome.counts)))
    if skewed := _other_shares(job, outcome):
        yield job.say("warning", skewed)


def _say_folds(job: TrainContext) -> Iterator[Event]:
    """Report how many images are judged in folds, and the classes of which no image can be judged."""
    judged, train = job.judged_rows(), job.rows("train")
    says = N_(
        "images: {train:count} for training; {judged:count} of them are judged in {folds:count} folds, each by a "
        "model that learned from the other folds"
    )
    folds = len(np.unique(job.folds[judged]))
    yield job.say("split", message(says, train=len(train), judged=len(judged), folds=folds))
    labels = job.dataset.labels
    if missing := sorted(set(labels[train].tolist()) - set(labels[judged].tolist())):
        says = N_(
            "no image of {names} can be judged: all images of such a class belong together, and without them the "
            "class could not be learned"
        )
        yield job.say("warning", message(says, names=", ".join(job.dataset.classes[k] for k in missing)))


def _say_what_stayed(job: TrainContext, outcome: _Outcome) -> Iterator[Event]:
    """Report which images stay in the parts of the earlier run, and which leave them."""
    if outcome.stayed:
        says = N_(
            "images already in {run} stay in the part they had; the fractions asked for now apply only to new ones"
        )
        yield job.say("split", message(says, run=outcome.inherited))
    if outcome.division.moved:
        yield job.say(
            "warning",
            message(
                N_("{n:count} image leaves the part it had in {run}, to stay with its group"),
                N_("{n:count} images leave the part they had in {run}, to stay with their group"),
                n=outcome.division.moved,
                run=outcome.inherited,
            ),
        )


def _say_unlearned_classes(job: TrainContext, listed: Sequence[str]) -> Iterator[Event]:
    """Report the classes that the model will not know. Save the names of those that it knows, their indices in
    `listed`, and the names of those that are only in the test part.
    """
    tested = Counter(job.dataset.labels[job.rows("test")].tolist())
    learned, others = job.dataset.learned_classes, range(len(job.dataset.learned_classes), len(job.dataset.classes))
    strange = [k for k in others if tested[k]]
    job.run.update(
        classes=list(learned),
        learned=[listed.index(name) for name in learned],
        only_tested=[job.dataset.classes[k] for k in strange],
    )
    for k in strange:
        yield job.say(
            "warning",
            message(
                N_(
                    "class {name} is only in the test part: it is not learned, and its {n:count} image can never "
                    "be correct"
                ),
                N_(
                    "class {name} is only in the test part: it is not learned, and its {n:count} images can "
                    "never be correct"
                ),
                name=job.dataset.classes[k],
                n=tested[k],
            ),
        )
    if lost := [job.dataset.classes[k] for k in others if not tested[k]]:
        yield job.say(
            "warning",
            message(
                N_("no training image is left of {names}: the model does not know such a class"), names=", ".join(lost)
            ),
        )


def read_parts(job: TrainContext) -> tuple[np.ndarray, np.ndarray]:
    """(parts, folds) from split.csv, whose lines are in the order of the images, without those left out. Raises
    RunError if it is incomplete.
    """
    check_split(job.run)
    names = job.dataset.images.names
    parts, folds, i = np.zeros(len(names), np.uint8), np.full(len(names), NO_FOLD, np.int8), 0
    for row in read_split(job.run.split_file, "file", "part"):
        while i < len(names) and names[i] != row["file"]:
            i += 1
        if i == len(names) or row["part"] not in PARTS:
            raise damaged_file_error(
                job.run.split_file, message(N_("it names a file or a part that this run does not have"))
            )
        parts[i] = PARTS.index(row["part"])
        if row.get("fold"):  # earlier runs have no such column
            folds[i] = _fold_of(job, row["fold"])
        i += 1
    return parts, folds


def _fold_of(job: TrainContext, cell: str) -> int:
    if not cell.isdecimal() or int(cell) >= (FOLDS if job.info.good else job.recipe.folds or 0):
        raise damaged_file_error(job.run.split_file, message(N_("it names a fold that this run does not have")))
    return int(cell)


def _places_among(near: np.ndarray | None, readable: np.ndarray, n: int) -> np.ndarray | None:
    """Pairs of images as pairs of indices in `readable`."""
    if near is None or not len(near):
        return None
    place = np.full(n, -1)
    place[readable] = np.arange(len(readable))
    pairs = place[near]
    return np.asarray(pairs[(pairs >= 0).all(1)])


def find_earlier_split(job: TrainContext) -> EarlierSplit:
    torn: list[str] = []
    for run, info in reversed(Run.known_in(job.run.path.parent)[0]):
        # a run that is not judged, or is judged in folds, has no test images for later runs to keep
        useful = info.status != "refused" and info.judged and not info.recipe.get("folds")
        if run.path != job.run.path and info.location == job.dataset.location and useful and run.split_file.exists():
            try:
                check_split(run)
                return EarlierSplit(earlier_parts(run.split_file), run.path.name, torn)
            except RunError:
                torn.append(run.path.name)
            except ValueError:  # of an older limpide, or edited by hand
                continue
    return EarlierSplit(None, "", torn)


def _other_shares(job: TrainContext, outcome: _Outcome) -> Message | None:
    """The message on a part that is far from the size that was asked for, with the reason."""
    division, stayed = outcome.division, outcome.stayed
    together = bool((np.bincount(division.together[division.parts != NO_PART], minlength=1) > 1).any())
    for part in (TEST, VALIDATION):
        share, got = outcome.shares[part], outcome.counts[PARTS[part]] / max(1, division.ours)
        tolerance = max(0.03, 0.25 * share)
        if (job.dataset.given == part).any() or division.ours < 50 or abs(got - share) <= tolerance:
            continue
        small = abs(division.quotas[part] / division.ours - share) > tolerance or not (together or stayed)
        why = WHOLE if small else UNCUT_AND_STAYED if together and stayed else UNCUT if together else STAYED
        return message(
            N_("the {part} part has {got:percent} of the images instead of {asked:percent}: {why}"),
            part=message(PART_NAMES[PARTS[part]]).to_json(),
            got=got,
            asked=share,
            why=message(why).to_json(),
        )
    return None


def _refuse_if_hopeless(job: TrainContext, out: Mapping[int, str], together: np.ndarray) -> None:
    """Raises DataError, with its reason, if there are not two classes to train on or no images to test with. together:
    (n,) as in Division; −1 = unreadable.
    """
    trained, tested = (set(job.dataset.labels[rows].tolist()) for rows in (job.rows("train"), job.judged_rows()))
    if len(trained) >= 2 and tested & trained:
        return
    job.run.update(status="refused")  # once the folder is fixed, the same command starts afresh
    raise (
        (None if tested else _nothing_to_test_on(job, out, together))
        or _nothing_to_tell_apart(job, trained, tested)
        or _too_few_images(job)
    )


def _nothing_to_test_on(job: TrainContext, out: Mapping[int, str], together: np.ndarray) -> DataError | None:
    """The error if images that belong together leave none for the test part."""
    if job.dataset.groups is not None and not out:
        return DataError("L239", where=job.dataset.location)
    if (alike := _class_of_one_image(job, together)) is None:
        return None
    label, n = alike
    return DataError("L261", where=job.dataset.location, n=n, name=job.dataset.classes[label])


def _nothing_to_tell_apart(job: TrainContext, trained: set[int], tested: set[int]) -> DataError | None:
    """The error if the training part has only one class, or none of those in the test part."""
    names, where = job.dataset.classes, job.dataset.location
    trainable = job.dataset.labels[~np.isin(job.dataset.given, (TEST, VALIDATION))]
    if len(trained) == 1 and len(set(trainable.tolist())) == 1:
        return DataError("L262", where=where, name=names[next(iter(trained))])
    if len(trained) >= 2 and tested:
        return DataError("L263", where=where, names=", ".join(names[k] for k in sorted(tested)))
    return None


def _too_few_images(job: TrainContext) -> DataError:
    return DataError("L209", where=job.dataset.location, counts=_list_counts(job), file=str(job.run.excluded_file))


def _list_counts(job: TrainContext) -> str:
    """Usable images of each class, the fewest first: "bees 1, ants 3"."""
    counts = np.bincount(job.dataset.labels[job.parts != NO_PART], minlength=len(job.dataset.classes))
    order = np.argsort(counts, kind="stable")
    return ", ".join(f"{job.dataset.classes[k]} {counts[k]}" for k in order[:MAX_NAMES]) + (
        ", …" if len(order) > MAX_NAMES else ""
    )


def _class_of_one_image(job: TrainContext, together: np.ndarray) -> tuple[int, int] | None:
    """(class, number of its images) of a class whose images, two or more, all stay together; None if there is none."""
    for label in range(len(job.dataset.classes)):
        groups = together[(job.parts != NO_PART) & (job.dataset.labels == label)]
        if len(groups) > 1 and len(np.unique(groups)) == 1:
            return label, len(groups)
    return None
