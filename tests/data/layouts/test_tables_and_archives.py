"""The ways in which people keep images: each is recognised, told in one sentence, and gives the same data set."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.errors import DataError, LimpideError
from limpide.data.arrays import from_arrays, from_paths
from limpide.data.dataset import PARTS, ArrayImages, Dataset
from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts import archive
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_A_PICTURE, UNLABELED_IMAGES, WITHOUT_PICTURES, Ignored
from limpide.data.layouts.scan import scan
from tests.make_images import photo_folder

Rows = list[tuple[str, str]]  # (label, part), sorted


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", per_class=4, classes=("disc", "square"))


def rows(dataset: Dataset) -> Rows:
    return sorted((dataset.classes[k], PARTS[p]) for k, p in zip(dataset.labels, dataset.given, strict=True))


def pixels(dataset: Dataset) -> set[bytes]:
    return {dataset.images.image(i).tobytes() for i in range(len(dataset))}


def move(photos: Path, rename: Callable[[str, int], str]) -> Path:
    """The same photos under other names: rename(class, number) → path below the new folder."""
    target = photos.parent / "arranged"
    for file in sorted(photos.rglob("*.png")):
        place = target / rename(file.parent.name, int(file.stem))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    return target


def table(
    photos: Path, header: str, row: Callable[[str, str, int], str], name: str = "labels.csv", encoding: str = "utf-8"
) -> Path:
    files = sorted(photos.rglob("*.png"))
    lines = [header, *(row(f"{file.parent.name}/{file.name}", file.parent.name, int(file.stem)) for file in files)]
    (photos / name).write_text("\n".join(lines) + "\n", encoding=encoding)
    return photos / name


def zipped(photos: Path, inside: str = "") -> Path:
    target = photos.parent / "photos.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted(photos.rglob("*.png")):
            made.write(file, f"{inside}{file.parent.name}/{file.name}")
    return target


def tarred(photos: Path, suffix: str) -> Path:
    target = photos.parent / f"photos{suffix}"
    with tarfile.open(
        target, "w:" + {".tar": "", ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}[suffix]
    ) as made:
        made.add(photos, "photos")
    return target


def parquet(photos: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    found = sorted(photos.rglob("*.png"))
    columns = {"file": [f"{f.parent.name}/{f.name}" for f in found], "label": [f.parent.name for f in found]}
    files.write_table(pyarrow.table(columns), photos / "labels.parquet")
    return photos / "labels.parquet"


def part(k: int) -> str:
    return "test" if k == 3 else "train"


FREE: Rows = [("disc", "")] * 4 + [("square", "")] * 4
PARTED: Rows = sorted((name, part(k)) for name in ("disc", "square") for k in range(4))

LAYOUTS: dict[str, tuple[Callable[[Path], Path], Rows, str]] = {
    "a folder a class": (lambda p: p, FREE, "layout: a folder a class"),
    "folders in class folders": (
        lambda p: move(p, lambda c, k: f"{c}/day{k % 2}/{k}.png"),
        FREE,
        "layout: a folder a class",
    ),
    "wrapped": (
        lambda p: move(p, lambda c, k: f"download/data/{c}/{k}.png"),
        FREE,
        "layout: a folder a class, below download/data",
    ),
    "parts with classes": (
        lambda p: move(p, lambda c, k: f"{part(k)}/{c}/{k}.png"),
        PARTED,
        "layout: a folder a part, with a folder a class in it",
    ),
    "classes with parts": (
        lambda p: move(p, lambda c, k: f"{c}/{part(k)}/{k}.png"),
        PARTED,
        "layout: a folder a class, with a folder a part in it",
    ),
    "classes in names": (
        lambda p: move(p, lambda c, k: f"{c}_{k:03d}.png"),
        FREE,
        "layout: the class is in the file name: disc_000.png is disc",
    ),
    "parts, classes in names": (
        lambda p: move(p, lambda c, k: f"{part(k)}/{c}.{k}.png"),
        PARTED,
        "layout: the class is in the file name: disc.3.png is disc",
    ),
    "csv": (
        lambda p: table(p, "file,label", lambda f, c, k: f"{f},{c}"),
        FREE,
        "layout: a table with files in column file",
    ),
    "csv with parts": (
        lambda p: table(p, "path,class,split", lambda f, c, k: f"{f},{c},{part(k)}"),
        PARTED,
        "those of column split",
    ),
    "csv with groups": (
        lambda p: table(p, "file,label,patient_id", lambda f, c, k: f"{f},{c},p{k}"),
        FREE,
        "the same patient_id",
    ),
    "a folder with its table": (
        lambda p: table(move(p, lambda c, k: f"{c}{k}x.png"), "file,label", lambda f, c, k: "").parent,
        FREE,
        "",
    ),
    "tsv": (lambda p: table(p, "file\tlabel", lambda f, c, k: f"{f}\t{c}", "labels.tsv"), FREE, "layout: a table"),
    "semicolons": (lambda p: table(p, "file;label", lambda f, c, k: f"{f};{c}"), FREE, "layout: a table"),
    "byte order mark": (
        lambda p: table(p, "file,label", lambda f, c, k: f"{f},{c}", encoding="utf-8-sig"),
        FREE,
        "layout: a table",
    ),
    "UTF-16, as spreadsheets save it": (
        lambda p: table(p, "file\tlabel", lambda f, c, k: f"{f}\t{c}", encoding="utf-16"),
        FREE,
        "layout: a table",
    ),
    "a line that names the separator": (
        lambda p: table(p, "sep=;\nfile;label", lambda f, c, k: f"{f};{c}"),
        FREE,
        "layout: a table",
    ),
    "a tab named as separator": (
        lambda p: table(p, "sep=\t\n\nfile\tlabel", lambda f, c, k: f"{f}\t{c}"),
        FREE,
        "layout: a table",
    ),
    "empty cells before the names": (
        lambda p: table(p, ",,,\nfile;label", lambda f, c, k: f"{f};{c}"),
        FREE,
        "layout: a table",
    ),
    "empty lines before the names": (
        lambda p: table(p, "\n\nfile,label", lambda f, c, k: f"{f},{c}"),
        FREE,
        "layout: a table",
    ),
    "csv with folds": (
        lambda p: table(p, "file,label,fold", lambda f, c, k: f"{f},{c},{k}"),
        FREE,
        "column fold holds folds",
    ),
    "parquet": (parquet, FREE, "layout: a table"),
    "zip": (zipped, FREE, "layout: a folder a class"),
    "zip, wrapped": (lambda p: zipped(p, "my photos/"), FREE, "layout: a folder a class, below my photos"),
    **{
        suffix: (lambda p, s=suffix: tarred(p, s), FREE, "layout: a folder a class, below photos")
        for suffix in (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
    },
}
del LAYOUTS["a folder with its table"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(photos: Path, name: str) -> None:
    arrange, expected, says = LAYOUTS[name]
    before = pixels(scan(photos))
    dataset = scan(arrange(photos))
    assert dataset.classes == ("disc", "square") and rows(dataset) == expected
    assert pixels(dataset) == before and len(dataset.fingerprint) == 64
    assert says in " · ".join(map(str, dataset.notes))


def test_a_folder_with_its_table_beside_the_images(photos: Path) -> None:
    flat = move(photos, lambda c, k: f"{'a' if c == 'disc' else 'b'}{k}x.png")
    lines = [f"{file.name},{'disc' if file.name[0] == 'a' else 'square'}" for file in sorted(flat.glob("*.png"))]
    (flat / "labels.csv").write_text("\n".join(["image,label", *lines]))
    dataset = scan(flat)
    assert rows(dataset) == FREE and "files in column image" in str(dataset.notes[0])


def test_arrays_and_lists_of_paths(photos: Path) -> None:
    folder = scan(photos)
    files = [photos / name for name in folder.images.names]
    names = [folder.classes[k] for k in folder.labels]
    listed = from_paths(files, names)
    assert rows(listed) == FREE and pixels(listed) == pixels(folder)
    stack = np.stack([np.asarray(folder.images.image(i)) for i in range(len(folder))])
    for given in (stack, stack / 255, stack.astype(np.float32), stack.astype(np.int64), np.moveaxis(stack, -1, 1)):
        held = from_arrays(given, names)
        assert rows(held) == FREE and pixels(held) == pixels(folder)
    assert (
        from_arrays(stack, names).location
        == from_arrays(stack, names).location
        != from_arrays(stack[::-1], names).location
    )


@pytest.mark.parametrize(
    ("images", "labels", "code"),
    [
        (np.zeros((4, 8)), [0, 1] * 2, "L219"),
        (np.zeros((4, 8, 8, 2)), [0, 1] * 2, "L283"),
        (np.zeros((0, 8, 8)), [], "L219"),
        (np.full((4, 8, 8), np.nan), [0, 1] * 2, "L230"),
        (np.full((4, 8, 8), "x"), [0, 1] * 2, "L219"),
        (np.zeros((4, 8, 8)), [0, 1], "L232"),
        (np.zeros((4, 8, 8)), ["a", "b", None, "b"], "L240"),
        (np.zeros((4, 8, 8)), ["a", "b", float("nan"), "b"], "L240"),
        (np.zeros((4, 8, 8)), ["a", "b", " ", "b"], "L240"),
        (np.zeros((4, 8, 8)), np.ma.masked_equal([0, 1, 9, 1], 9), "L240"),
        (np.zeros((4, 8, 8)), [0.0, 1.0, float("nan"), 1.0], "L240"),
        (np.zeros((4, 8, 8)), [0, 0, 0, 0], "L204"),
        (np.zeros((4, 8, 8)), [0.5, 1.25, 2.5, 3.1], "L229"),
        (np.zeros((4, 8, 8)), np.eye(4), "L280"),
        (np.zeros((4, 8, 8)), np.eye(4, dtype=bool), "L280"),
        (np.zeros((4, 8, 8)), np.eye(4) + np.eye(4)[::-1], "L215"),
    ],
)
def test_arrays_that_are_no_images(images: np.ndarray, labels: object, code: str) -> None:
    with pytest.raises(DataError) as told:
        from_arrays(images, labels)
    assert told.value.code == code and "\n" not in str(told.value)


def test_paths_that_are_not_there(photos: Path) -> None:
    with pytest.raises(DataError) as told:
        from_paths([photos / "disc/0000.png", photos / "gone.png"], ["a", "b"])
    assert told.value.code == "L218" and "gone.png" in str(told.value)


def test_camera_names_are_no_classes(tmp_path: Path) -> None:
    for name in ("IMG_001.jpg", "IMG_002.jpg", "DSC_001.jpg", "DSC_002.jpg"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as told:
        scan(tmp_path)
    assert told.value.code == "L203"


def test_class_folders_without_a_file_are_told(photos: Path) -> None:
    """Case 32."""
    (photos / "bars").mkdir()
    dataset = scan(photos)
    assert dataset.classes == ("disc", "square") and Ignored("bars", 0, WITHOUT_PICTURES) in dataset.ignored


# -- tables


def told(path: Path, **options: str) -> LimpideError:
    with pytest.raises(LimpideError) as error:
        scan(path, **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    return error.value


def test_what_a_table_names_and_is_not_there(photos: Path) -> None:
    """Case 41."""
    path = table(photos, "file,label", lambda f, c, k: f"{'gone/' if k == 2 else ''}{f},{c}")
    dataset = scan(path)
    assert len(dataset) == 6 and [name for name, _ in dataset.left_out] == [
        "gone/disc/0002.png",
        "gone/square/0002.png",
    ]


def test_contradictions_are_left_out_on_both_sides(photos: Path) -> None:
    """Case 42."""
    path = table(photos, "file,label", lambda f, c, k: f"{f},{c}")
    with open(path, "a") as stream:
        stream.write("disc/0000.png,square\ndisc/0001.png,disc\n")
    dataset = scan(path)
    assert len(dataset) == 7 and {name for name, _ in dataset.left_out} == {"disc/0000.png"}


def test_rows_that_repeat_a_file_are_counted_and_told(photos: Path) -> None:
    """Case 42: neither a mistake nor a weight goes unnoticed."""
    path = table(photos, "file,label", lambda f, c, k: f"{f},{c}")
    assert not any("repeat" in str(note) for note in scan(path).notes)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, *lines[1:] * 2, f"./{lines[1]}"]))
    dataset = scan(path)
    assert len(dataset) == 8 and [str(n) for n in dataset.notes if "repeat" in str(n)] == [
        "17 of 25 rows repeat a file that is already listed; each file counts once"
    ]
    path.write_text("\n".join([*lines, lines[1]]))
    assert "1 of 9 rows repeats a file" in " ".join(map(str, scan(path).notes))


def test_latin_1_is_read_and_said(photos: Path) -> None:
    """Case 43."""
    path = table(
        photos, "file,label", lambda f, c, k: f"{f},{'cercle brisé' if c == 'disc' else c}", encoding="latin-1"
    )
    dataset = scan(path)
    assert dataset.classes == ("cercle brisé", "square") and any("cp1252" in str(note) for note in dataset.notes)


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "disc/../../secret.png"])
def test_nothing_outside_of_the_folder_is_read(photos: Path, name: str) -> None:
    """Case 45."""
    (photos.parent / "secret.png").write_bytes(b"x")
    path = table(photos, "file,label", lambda f, c, k: f"{name if k == 0 and c == 'disc' else f},{c}")
    dataset = scan(path)
    assert len(dataset) == 7 and [found for found, _ in dataset.left_out] == [name]
    link = photos / "disc" / "0001.png"
    link.unlink()
    link.symlink_to(photos.parent / "secret.png")
    assert len(scan(path)) == 6


@pytest.mark.parametrize(
    ("header", "row", "code", "says"),
    [
        ("", "", "L214", "empty"),
        ("a,label", "{c},{c}", "L225", "no column file; it has a, label"),
        ("file,name", "{f},{c}", "L225", "no column label"),
        ("file,label", "{f},a|b", "L215", "multi-label is not supported"),
        ("file,label,split", "{f},{c},later", "L227", "part that is not known"),
        (
            "file,label",
            "gone{f},{c}",
            "L228",
            "its column file says gonedisc/0000.png first, and its columns are file, label",
        ),
    ],
)
def test_tables_that_say_something_else(photos: Path, header: str, row: str, code: str, says: str) -> None:
    error = told(table(photos, header, lambda f, c, k: row.format(f=f, c=c)))
    assert error.code == code and says in str(error)


def test_measured_numbers_are_no_classes(tmp_path: Path) -> None:
    root = photo_folder(tmp_path / "photos", per_class=20, classes=("disc", "square"))
    error = told(table(root, "file,label", lambda f, c, k: f"{f},{k + 0.37 + (50 if c == 'disc' else 0)}"))
    assert error.code == "L229" and "regression is not supported" in str(error)


def test_groups_by_any_column_and_what_is_not_used_is_said(photos: Path) -> None:
    path = table(photos, "file,label,weather,patient", lambda f, c, k: f"{f},{c},{'sun' if k % 2 else 'rain'},")
    assert scan(path).groups is None and any("columns not used: weather" in str(note) for note in scan(path).notes)
    found = scan(path, hints=Hints(groups="weather")).groups
    assert found is not None and len(set(found.tolist())) == 2
    assert scan(path, hints=Hints(groups="none")).groups is None
    assert told(path, hints=Hints(groups="whether")).code == "L116" and "did you mean weather?" in str(
        told(path, hints=Hints(groups="whether"))
    )


def test_groups_of_two_columns_join(photos: Path) -> None:
    """Image 0 and 1 share a patient, 1 and 2 a camera: all three are one group."""
    columns = {0: "p1,c1", 1: "p1,c2", 2: "p2,c2", 3: ","}
    path = table(
        photos, "file,label,patient,camera", lambda f, c, k: f"{f},{c},{columns[k] if c == 'disc' else ',x' + str(k)}"
    )
    groups = scan(path).groups
    assert (
        groups is not None
        and len(set(groups[:3].tolist())) == 1
        and groups[3] == -1
        and len(set(groups[4:].tolist())) == 4
    )


# -- archives (case 55)


def member(name: str, data: bytes, **attributes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def picture(seed: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_members_that_are_not_to_be_trusted(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for k in range(3):
            made.writestr(f"a/{k}.png", picture(k))
            made.writestr(f"b/{k}.png", picture(k + 9))
        made.writestr("a/../../out.png", picture())
        made.writestr("/etc/out.png", picture())
        made.writestr(member("a/link.png", b"", external_attr=0o120777 << 16), "/etc/passwd")
        made.writestr("b/bomb.png", b"\0" * 50_000_000)
        made.writestr("__MACOSX/a/._1.png", b"x")
    dataset = scan(path)
    assert len(dataset) == 6 and {reason for _, reason in dataset.left_out} == {
        archive.OUTSIDE,
        archive.LINK,
        archive.BOMB,
    }
    assert list(tmp_path.iterdir()) == [path]  # nothing was unpacked


def test_pictures_without_a_class_are_left_out_and_listed(photos: Path) -> None:
    """The way competitions are handed out: train/cat/1.png beside test/1.png."""
    (photos / "train").mkdir()
    for folder in ("disc", "square"):
        (photos / folder).rename(photos / "train" / folder)
    (photos / "test").mkdir()
    (photos / "test" / "1.png").write_bytes(picture(1))
    (photos / "read me.txt").write_text("about these photographs")
    dataset = scan(photos)
    waiting = Ignored("test", 1, UNLABELED_IMAGES)
    assert (
        len(dataset) == 8
        and dataset.left_out == []
        and waiting in dataset.ignored
        and Ignored(".txt", 1, NOT_A_PICTURE) in dataset.ignored
    )
    packed = photos.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for file in sorted(photos.rglob("*.*")):
            made.write(file, file.relative_to(photos))
    assert scan(packed).left_out == [] and waiting in scan(packed).ignored


def test_two_tables_in_a_folder_are_asked_about(photos: Path) -> None:
    for name in ("labels.csv", "more.csv"):
        (photos / name).write_text("file,label\n")
    assert "the table labels.csv is not read: the table is empty" in str(scan(photos).notes[1]), (
        "its folders name two classes"
    )
    flat = move(photos, lambda c, k: f"{k}{c[0]}.png")
    for name in ("labels.csv", "more.csv"):
        (flat / name).write_text("file,label\n" + "".join(f"{k}{c},{c}\n" for k in range(4) for c in "ds"))
    error = told(flat)
    assert error.code == "L241" and "labels.csv, more.csv" in str(error)
    for name in ("a.parquet", "b.parquet"):
        (photos / name).write_bytes(b"PAR1, not")
    assert len(scan(photos)) == 8


def test_a_table_inside_an_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("labels.csv", "file,label\nimages/1.png,a\n")
        for k in range(3):
            made.writestr(f"images/{k}.png", picture(k))
    assert told(path).code == "L242" and f"{path}: labels.csv" in str(told(path))
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a/b/labels.csv", "file,label\n")
        for k in range(3):
            made.writestr(f"a/b/{k}.png", picture(k))
    assert told(path).code == "L242"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("labels.csv", "file,label\n")
        for k in range(4):
            made.writestr(f"{'ab'[k % 2]}/{k}.png", picture(k))
    assert "a table inside an archive is not read: labels.csv" in str(scan(path).notes[1]), (
        "its folders name two classes"
    )


def test_a_full_cache_is_not_the_fault_of_the_archive(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tarred(photos, ".tar.gz")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        scan(path)


def test_links_in_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as made:
        for k in range(4):
            info = tarfile.TarInfo(f"{'ab'[k % 2]}/{k}.png")
            data = picture(k)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("a/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    dataset = scan(path)
    assert len(dataset) == 4 and dataset.left_out == [("a/link.png", archive.LINK)]


def test_a_compressed_tar_is_unpacked_once_into_the_cache(photos: Path) -> None:
    path = tarred(photos, ".tar.gz")
    first = scan(path)
    (kept,) = (archive.cache_folder() / "archives").glob("*.tar")
    before = kept.stat().st_mtime_ns
    os.utime(kept, ns=(1, before))
    assert (
        pixels(scan(path)) == pixels(first) and kept.stat().st_mtime_ns == before and kept.stat().st_atime_ns > 10**18
    )


def test_a_tar_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        info = tarfile.TarInfo("a/1.png")
        info.size = 60_000_000
        made.addfile(info, io.BytesIO(b"\0" * info.size))
    assert told(path).code == "L213" and not list((archive.cache_folder() / "archives").glob("*tmp*"))


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.xz", "x.tar.bz2"])
@pytest.mark.parametrize("data", [b"", b"not an archive" * 50])
def test_no_archive(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert told(tmp_path / name).code in ("L212", "L234")


def test_a_member_that_is_cut_off_is_one_unreadable_image(photos: Path) -> None:
    path = tarred(photos, ".tar")
    dataset = scan(path)
    with open(path, "r+b") as stream:
        stream.truncate(int(dataset.images.places[-1, 0]) + 10)  # type: ignore[attr-defined]
    with pytest.raises(Undecodable):
        dataset.images.bytes(len(dataset) - 1)
    assert dataset.images.bytes(0)


@pytest.mark.parametrize(
    ("high", "scale"), [(0.5, 255.0), (1.0, 255.0), (1.5, 255 / 16), (16.0, 255 / 16), (17.0, 1.0), (255.0, 1.0)]
)
def test_floats_become_grey_levels_by_one_rule(high: float, scale: float) -> None:
    array = np.linspace(0, high, 4 * 64).reshape(4, 8, 8)
    held = from_arrays(array, [0, 1, 0, 1])
    assert isinstance(held.images, ArrayImages)
    np.testing.assert_array_equal(held.images.array, np.rint(array * scale))
    assert "rounded to 256 grey levels" in str(held.notes[0])


# -- what an attack found


def test_a_stray_file_does_not_hide_the_parts_of_the_user(photos: Path) -> None:
    root = move(photos, lambda c, k: f"{c}/{part(k)}/{k}.png")
    (root / "disc" / "readme.txt").write_text("hello")
    assert rows(scan(root)) == PARTED


def test_parts_beside_other_folders_are_refused_and_not_learned_as_classes(photos: Path) -> None:
    root = move(photos, lambda c, k: f"{part(k)}/{c}/{k}.png")
    (root / "more").mkdir()
    (root / "more" / "1.png").write_bytes(b"x")
    assert told(root).code == "L236" and "more" in str(told(root))


@pytest.mark.parametrize("unknown", ["NA", "nan", "None", "", " n/a "])
def test_an_unknown_group_is_no_group(photos: Path, unknown: str) -> None:
    path = table(photos, "file,label,patient", lambda f, c, k: f"{f},{c},{unknown if k else 'p' + c}")
    groups = scan(path).groups
    assert groups is not None and (groups == -1).sum() == 6


def test_groups_from_python_may_be_missing() -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    for given in ([None, "p", "p", None], [np.nan, 1.0, 1.0, np.nan]):
        groups = from_arrays(images, [0, 1, 0, 1], groups=given).groups
        assert groups is not None and groups[[0, 3]].tolist() == [-1, -1] and groups[1] == groups[2] >= 0


def test_group_columns_of_a_folder_are_a_mistake(photos: Path) -> None:
    assert told(photos, hints=Hints(groups="patient")).code == "L119"


def test_a_class_is_named_by_its_folder_and_not_by_a_link_to_it(photos: Path) -> None:
    (photos / "alias").symlink_to(photos / "square", target_is_directory=True)
    assert scan(photos).classes == ("disc", "square")


def test_backslashes_in_a_zip_are_folders(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        for file in photos.rglob("*.png"):
            info = zipfile.ZipInfo("x")
            info.filename = f"{file.parent.name}\\{file.name}"  # as some Windows programs write it
            made.writestr(info, file.read_bytes())
    assert rows(scan(tmp_path / "x.zip")) == FREE


def test_of_two_members_of_one_name_the_last_counts(photos: Path) -> None:
    path = zipped(photos)
    with zipfile.ZipFile(path, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("disc/0000.png", picture(7))
    dataset = scan(path)
    names = list(dataset.images.names)
    assert len(names) == len(set(names)) == 8 and dataset.images.bytes(names.index("disc/0000.png")) == picture(7)


def test_a_file_in_two_parts_is_left_out(photos: Path) -> None:
    path = table(photos, "file,label,split", lambda f, c, k: f"{f},{c},{part(k)}")
    with open(path, "a") as stream:
        stream.write("disc/0000.png,disc,test\n")
    assert [name for name, _ in scan(path).left_out] == ["disc/0000.png"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('file,label\n"disc/0000.png,disc\ndisc/0001.png,disc\n', "L226"),
        ("file,label\ndisc/0000.png,a\0b\n", "L226"),
        ("file,label\n" + "x" * 200_000 + ",disc\n", "L226"),
        ("file,label,label\ndisc/0000.png,disc,square\n", "L237"),
    ],
)
def test_broken_tables(photos: Path, text: str, code: str) -> None:
    (photos / "labels.csv").write_text(text)
    assert told(photos / "labels.csv").code == code


def test_a_compressed_tar_keeps_its_fingerprint(photos: Path) -> None:
    """So that an interrupted training on it continues."""
    path = tarred(photos, ".tar.gz")
    first = scan(path).fingerprint
    assert scan(path).fingerprint == first


def test_an_archive_of_encrypted_files_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a/1.png", picture())
    data = bytearray(path.read_bytes())
    for marker, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(marker) + place] |= 1
    path.write_bytes(data)
    assert told(path).code == "L238" and "encrypted" in str(told(path))
