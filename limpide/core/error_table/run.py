"""What a RunError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as long as
there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

RUN_ERRORS = {
    "L501": ErrorEntry(
        what=N_("a run cannot be saved here"),
        todo=N_("use --runs to give a folder that you may write to"),
        explanation="""
        The folder cannot be written to: no permission, a read-only disk, or a file where a folder should be. Choose
        another one with `--runs`.
        """,
    ),
    "L502": ErrorEntry(
        what=N_("this is not a run of limpide"),
        todo=N_("list the runs with limpide runs"),
        explanation="""
        The directory does not exist, or it holds no `run.json`. `limpide runs` lists the runs of a folder.
        """,
    ),
    "L503": ErrorEntry(
        what=N_("a newer limpide wrote this run"),
        todo=N_("upgrade limpide: pip install -U limpide"),
        explanation="""
        Its files have a form that this version does not know. Upgrade: `pip install -U limpide`.
        """,
    ),
    "L504": ErrorEntry(
        what=N_("another process is working in this run"),
        todo=N_("wait for it, or start another run with --new"),
        explanation="""
        Two trainings in one directory would spoil each other's files. Wait until the other one has ended, or start
        another run with `--new`. A process that was killed holds nothing: its run is free at once.
        """,
    ),
    "L505": ErrorEntry(
        what=N_("run.json cannot be read: {reason}"),
        explanation="""
        The file was changed or damaged by something other than limpide, which only ever replaces it whole; the
        reason names the field and what it must be. Restore it from a copy, or train again with `--new`. Lists say
        it once and show all other runs; a training beside it goes on.
        """,
    ),
    "L506": ErrorEntry(
        what=N_("the weights cannot be read"),
        todo=N_("train again with --new"),
        explanation="""
        A file in `snapshots/` is missing or damaged. Train again with `--new`.
        """,
    ),
    "L507": ErrorEntry(
        what=N_("the images changed since this run began"),
        todo=N_("start another run with --new"),
        explanation="""
        Files were added, removed, renamed or touched while the run was unfinished. Continuing would mix two data
        sets, so start another run with `--new`; images that were there before stay in the part they had.
        """,
    ),
    "L508": ErrorEntry(
        what=N_("the decoded images could not be saved"),
        todo=N_("free some disk space and run the same command again"),
        explanation="""
        The cache in the run directory could not be written, usually because the disk is full. Free some space and
        type the same command again.
        """,
    ),
    "L509": ErrorEntry(
        what=N_("this classifier is not trained yet"),
        todo=N_("call fit(folder) first, or ImageClassifier.load(run)"),
        explanation="""
        `ImageClassifier` was asked for an answer before it had learned anything. Call `fit(folder)`, or load a run
        with `ImageClassifier.load(run)`.
        """,
    ),
    "L510": ErrorEntry(
        what=N_("the processes that decode images stop as soon as they start"),
        todo=N_("see whether python -m limpide.data.decoding.decoder_process starts, and how much memory is free"),
        explanation="""
        Images are decoded by processes of their own, so that a broken file cannot take the training with it; here
        they do not start. `python -m limpide.data.decoding.decoder_process` in the same environment shows why; too
        little free memory is the usual reason.
        """,
    ),
    "L511": ErrorEntry(
        what=N_("the run of this classifier is gone"),
        todo=N_("bring its folder back, or call fit again; runs= names a folder that stays"),
        explanation="""
        A classifier knows the folder of its run and holds no weights itself, also when it was pickled. The folder
        was moved or deleted, or it was a temporary one. Bring it back, load it from where it is now with
        `ImageClassifier.load(run)`, or call `fit` again; with `runs=` the run lies in a folder that stays.
        """,
    ),
    "L512": ErrorEntry(
        what=N_("this run was not judged"),
        todo=N_("call evaluate(folder) with labelled images, or fit with judge=True"),
        explanation="""
        It was trained with `judge=False`, as in cross-validation: no test part was looked at and no report written.
        Call `evaluate` with labelled images of your own, or train with `judge=True`.
        """,
    ),
    "L513": ErrorEntry(
        what=N_("this run was not trained on rows of numbers"),
        todo=N_("load it with ImageClassifier.load(run)"),
        explanation="""
        `FlatImageClassifier.load` wants a run that `FlatImageClassifier.fit` made. Load this one with
        `ImageClassifier.load(run)`.
        """,
    ),
    "L514": ErrorEntry(
        what=N_("the disk is full"),
        todo=N_("free some disk space and run the same command again: everything that was saved before is intact"),
        explanation="""
        Nothing that was saved before is lost: a file that could not be written whole is not there at all, and the
        one before it still is. Make room (`limpide clean` frees decoded pixels) and run the same command again; it
        goes on from the last checkpoint.
        """,
    ),
    "L515": ErrorEntry(
        what=N_("the system refused to read or write a file: {reason}"),
        todo=N_("check the path, its permissions and the disk, then run the same command again"),
        explanation="""
        The operating system gave this reason. Common ones are a folder that may not be written, a share that went
        away, and a disk that fails. What was saved before is whole; once the reason is gone, the same command goes
        on.
        """,
    ),
    "L516": ErrorEntry(
        what=N_("the checkpoint belongs to another network, or to another version of limpide"),
        todo=N_("start another run with --new"),
        explanation="""
        What was learned so far cannot be taken over. Start another run with `--new`; the unfinished one stays where
        it is.
        """,
    ),
    "L517": ErrorEntry(
        what=N_("split.csv is not as it was written (complete rows: {found} instead of {written})"),
        todo=N_("restore it from a copy of the run, or train again with --new"),
        explanation="""
        The file that says which image served for what lost rows (or gained some) after the training wrote it:
        usually a copy that was cut short. The images of the missing rows would count as never seen, and might be
        trained on or scored as if they were new. Restore it from a copy of the run, or train again with `--new`.
        Runs of earlier versions, which did not keep the number of rows, open as they are.
        """,
    ),
    "L518": ErrorEntry(
        what=N_("a file of this run cannot be read: {reason}"),
        explanation="""
        A claim in `findings/`, or one of the tables, was changed or damaged by something other than limpide; the
        line names the file and what is wrong in it. Restore it from a copy, or train again with `--new`.
        """,
    ),
    "L519": ErrorEntry(
        what=N_("a link in this run points outside the run"),
        explanation="""
        The studio serves the files of a run and writes orders and marks into it; a link would make it serve, or
        write, a file somewhere else. Put the file itself in the place of the link, or delete the link. A run that
        is a link as a whole is fine, and so are links from one of its files to another.
        """,
    ),
    "L520": ErrorEntry(
        what=N_("this training was not judged on the same images as the others"),
        todo=N_("move its folder away, and type the same command again"),
        explanation="""
        `limpide ablate` compares answers to the same images. This run has another split, or some of its images can no
        longer be read. Without its folder the training is made again.
        """,
    ),
    "L561": ErrorEntry(
        what=N_("the fingerprints of the training images are damaged"),
        todo=N_("restore it from a copy of the run, or train again with --new"),
        explanation="""
        `prints.npy` in the run, by which `limpide evaluate` recognizes near copies of images that were trained on,
        cannot be read. Restore it from a copy of the run, or train again with `--new`. Without the file, `evaluate`
        compares byte for byte only, and says so.
        """,
    ),
}
