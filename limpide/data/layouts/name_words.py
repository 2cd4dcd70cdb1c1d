"""The meaning of the names of folders, files and columns, in the words that people use: parts, groups, and what is not
a picture of a class.

A name is cut into words at signs, digits and capitals: train_set, TrainImages and "train 2017" all say train. Names
only help; `data/layouts/layout.py` decides by the content of the folders.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache


def split_words(listed: str) -> tuple[str, ...]:
    """The words of a list that is written with spaces, as those below."""
    return tuple(listed.split())


def _by_word(listed: Mapping[str, str]) -> dict[str, str]:
    """Word → its meaning, from lists of words by meaning."""
    return {word: meaning for meaning, word_list in listed.items() for word in split_words(word_list)}


UNLABELED = "unlabeled"  # a part whose images have no class yet, such as those that a competition wants predicted

PART_WORDS: Mapping[str, str] = _by_word(
    {
        "train": """
            train training trn learn learning apprentissage entrainement entrenamiento treino treinamento addestramento
            lernen lerndaten opleiding egitim eğitim trening обучение 训练 訓練 학습 学習""",
        "validation": """
            val valid validation validate dev development tuning validierung validacion validacao validazione validatie
            dogrulama валидация 验证 驗證 검증 検証""",
        "test": """
            test tests testing tst holdout heldout eval evaluation evaluate prueba teste essai pruebas testes prova
            prove verifica prufung generalisation testowy тест 测试 測試 테스트 テスト""",
        UNLABELED: "unlabeled unlabelled unlabel pred predict prediction predictions inference submission",
    }
)
PAIRS = {
    ("hold", "out"): "test",
    ("held", "out"): "test",
    ("public", "test"): "validation",
    ("private", "test"): "test",
    ("un", "labeled"): UNLABELED,
}
# Words that may accompany the word for a part and add nothing.
NEUTRAL = {
    *split_words("set sets data dataset image images img imgs picture pictures pic pics photo photos jpg jpeg png"),
    *split_words("folder dir split part subset sample samples seg final new x the public private only resized cropped"),
}
# Words that may be joined to the word for a part, in this order: trainset, Testdaten, 训练集.
GLUED = split_words("images image imgs img dataset data set split daten sdaten satz sbilder bilder 集 x")
# a folder of this name between a part and its classes says nothing
WRAPPING = NEUTRAL | {"jpegimages", "jpegs", "pngs", "raw", "all", "files"}
UNTOLD = (WRAPPING | {"labels", "metadata", "index", "annotations"}) - {
    *split_words("photo photos picture pictures pic pics sample samples")
}
# folder names that do not name a class
NOTHING_SAID = {*split_words("unknown unlabeled unlabelled none unk test images image imgs dummy all 0 na")}
# Before a number or a letter, these words name a group of images, not a class.
GROUP_WORDS = {
    *split_words("group patient person subject camera cam burst site session sequence seq video individual user"),
    *split_words("location date day week month batch fold folder part set run scene clip slide case hospital center"),
    *split_words("domain device phone lot line shift station serie series volume visit caméra jour lieu"),
}
# Beside folders of classes, these names are work of a project, not a class. If the name may also be a class, few images
# are work and many are a class.
OF_WORK = {
    *split_words("output outputs result results plots logs checkpoints src scripts notebooks wandb mlruns"),
    *split_words("sorties resultats ausgabe ergebnisse resultados risultati"),
}
PERHAPS_OF_WORK = {
    *split_words("figures figs docs doc documentation demo demos example examples models assets graphs exemples code")
}
ALTERED = {"augmented", "augmentation", "augmentations", "aug", "augmente", "augmentee", "augmentees", "augmentadas"}

SYSTEM = {  # no word that can name a class: waste is sorted into trash and recycled
    "system volume information",
    *split_words("__macosx $recycle.bin recycler lost+found @eadir #recycle found.000 @recently-snapshot"),
    *split_words("__pycache__ node_modules site-packages ipynb_checkpoints"),
}
LEFT_BEHIND = {"thumbs.db", "desktop.ini", "icon\r", "ehthumbs.db", ".ds_store"}

# Pictures that describe other pictures: they are not a class where they match those pictures.
ABOUT_PICTURES = _by_word(
    {
        "masks": """
            mask masks segmentation segmentations segmentationclass segmentationobject trimap trimaps
            segmented masque masques masken mascaras silhouettes superpixel superpixels""",
        "annotations": """
            groundtruth gt label labels annotation annotations annot bbox bboxes boxes overlay
            overlays heatmap heatmaps depth edges contours landmarks keypoints""",
        "thumbnails": """
            thumb thumbs thumbnail thumbnails preview previews small lowres icons vignette vignettes
            miniature miniatures miniaturas vorschau""",
    }
)
CERTAIN = {
    *split_words("groundtruth segmentationclass segmentationobject trimap trimaps annotation annotations"),
    *split_words("thumbs thumbnail thumbnails previews"),
}
_ABOUT = (
    r"(mask|masque|segmentation|segmented|seg|gt|label|labels|overlay|thumb|thumbnail|small|preview|depth|edges|"
    r"heatmap|superpixels?)"
)
AFTER_A_NAME = re.compile(rf"^(?P<name>.+?)[\s._-]+{_ABOUT}(?:[\s._-]*\d+)?$", re.IGNORECASE)
BEFORE_A_NAME = re.compile(rf"^{_ABOUT}[\s._-]+(?P<name>.+)$", re.IGNORECASE)

PICTURES = {
    *split_words(".jpg .jpeg .jpe .jfif .png .apng .gif .bmp .dib .webp .tif .tiff .heic .heif .avif .jp2 .j2k"),
    *split_words(".jpx .jpf .ppm .pgm .pbm .pnm .tga .pcx .ico .mpo"),
}
NO_PICTURES = {
    *split_words(".txt .md .rst .csv .tsv .json .jsonl .xml .html .htm .yaml .yml .toml .cfg .ini .names .data"),
    *split_words(".mat .npy .npz .pkl .pickle .h5 .hdf5 .parquet .arrow .lmdb .mdb .db .sqlite .pt .pth .onnx"),
    *split_words(".pdf .doc .docx .xls .xlsx .odt .ods .ppt .pptx .rtf .tex .bib .log .py .ipynb .m .sh .bat"),
    *split_words(".zip .tar .gz .tgz .bz2 .xz .7z .rar .mp4 .avi .mov .mkv .webm .wav .mp3 .exe .lnk .url"),
    *split_words(".sha256 .md5 .license .tfrecord .pts .xmp .aae .thm .part .crdownload .tmp"),
}
NO_PICTURE_STARTS = (b"<", b"{", b"[", b"%PDF", b"PK\x03\x04")


@lru_cache(100_000)
def normalized(name: str) -> str:
    """The name in one Unicode form: "é" may be written as one sign or as two, and looks the same."""
    return unicodedata.normalize("NFC", name)


@lru_cache(100_000)
def words(name: str) -> tuple[str, ...]:
    """Lower-case words of a name, without accents: "TrainImages_2017" is train, images, 2017."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+", plain))


def part_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """(the part in a folder's name, its other meaningful words), or None if the name contains no part, or two."""
    named_parts: list[str] = []
    rest: list[str] = []
    listed = words(name)
    k = 0
    while k < len(listed):
        pair = tuple(listed[k : k + 2])
        if pair in PAIRS:
            named_parts.append(PAIRS[pair])  # type: ignore[index]
            k += 2
            continue
        part, more = _split_glued(listed[k])
        if part:
            named_parts.append(part)
        elif not (more.isdigit() or more in NEUTRAL):
            rest.append(more)
        k += 1
    parts = set(named_parts)
    if parts == {"test", UNLABELED}:
        parts = {UNLABELED}
    return (parts.pop(), tuple(rest)) if len(parts) == 1 else None


def _split_glued(word: str) -> tuple[str, str]:
    """(part, "") for train, trainset or imagestrain, ("", word) for any other word."""
    if word in PART_WORDS:
        return PART_WORDS[word], ""
    for neutral in GLUED:
        if word.endswith(neutral) and word.removesuffix(neutral) in PART_WORDS:
            return PART_WORDS[word.removesuffix(neutral)], ""
        if word.startswith(neutral) and word.removeprefix(neutral) in PART_WORDS:
            return PART_WORDS[word.removeprefix(neutral)], ""
    return "", word


def says_nothing(name: str) -> bool:
    """Whether a folder's name is only that of a part, or of anything that such folders hold: train, images,
    dataset_2024.
    """
    part = part_of(name)
    return (part is not None and not part[1]) or all(word.isdigit() or word in UNTOLD for word in words(name))


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """The part that the name of each of these folders gives, if every name gives one, they give more than one, and
    nothing else distinguishes them; else nothing.

    "test tube" beside "training shoe" are two things, "test set" beside "training set" are two parts.
    """
    meanings = {name: part_of(name) for name in names}
    stated = [one for one in meanings.values() if one]
    if len(stated) < len(meanings) or not stated or len({rest for _, rest in stated}) > 1:
        return {}
    alone = len(meanings) == 1 and stated[0][1]  # a single folder of several words has an ordinary name
    # something else distinguishes test1 and test2
    same = len(meanings) > 1 and len({part for part, _ in stated}) == 1
    return {} if alone or same else {name: one[0] for name, one in meanings.items() if one}


def says_group(name: str) -> bool:
    """camera1, session_2, patient b, 2021-03: names of groups of images, not of classes."""
    listed = words(name)
    return len(listed) > 1 and (listed[0] in GROUP_WORDS or all(word.isdigit() for word in listed))


def numbers_group(name: str) -> bool:
    """As says_group, but only a number or a letter distinguishes the groups: camera1 and patient b, not part_good."""
    listed = words(name)
    return says_group(name) and (listed[1].isdigit() or len(listed[1]) == 1)


@lru_cache(100_000)
def about_pictures(name: str) -> str:
    """The content of a folder of this name, if it is masks, annotations or thumbnails of other pictures, as in masks
    and thumbs_100x100; else "".
    """
    listed = [word for word in words(name) if not (word.isdigit() or word == "x")]
    return ABOUT_PICTURES.get("".join(listed), "") or (
        ABOUT_PICTURES.get(listed[-1], "") if len(listed) > 1 and listed[0] in ("ground", "image", "img") else ""
    )


def about_another(name: str, others: Iterable[str]) -> str:
    """As about_pictures, for a name that begins with another folder's name: cat_masks beside cat."""
    listed = words(name)
    return (
        ABOUT_PICTURES.get(listed[-1], "")
        if len(listed) > 1 and any(words(other) == listed[:-1] for other in others)
        else ""
    )


def is_system(name: str) -> bool:
    """Whether the name is that of a hidden file, or of one that a system leaves behind."""
    return name.startswith((".", "~$")) or name.lower() in SYSTEM | LEFT_BEHIND


def ending(name: str) -> str:
    """The ending with its dot, in lower case; "" for a name without one, and for a hidden file."""
    file = name.rsplit("/", 1)[-1]
    dot = file.rfind(".")
    return file[dot:].lower() if 0 < dot < len(file) - 1 else ""


def stem(name: str) -> str:
    """The last part of a path without its ending, in lower case."""
    file = name.rsplit("/", 1)[-1]
    return file[: len(file) - len(ending(file))].lower()


def listed_names(names: Sequence[str], most: int = 5) -> str:
    """The first of the names, for a sentence."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def parts_and_classes(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """cat_train, cat_test, dog_train, dog_test → the part and the class of each; empty if the names have no such form.

    A class may lack a part, and other folders may be beside them.
    """
    names = set(names)
    pairs = {name: both for name in names if (both := _split_part(name))}
    by_label: dict[str, set[str]] = defaultdict(set)
    for part, label in pairs.values():
        by_label[label].add(part)
    in_several = sum(len(parts) > 1 for parts in by_label.values())
    return pairs if len(by_label) > 1 and in_several >= len(by_label) / 2 and len(pairs) > len(names) / 2 else {}


def _split_part(name: str) -> tuple[str, str] | None:
    """(part, the rest of the name as it is written) if one of its words names a part."""
    for word in re.finditer(r"[^\s._-]+", name):
        part = part_of(word.group())
        label = (name[: word.start()] + name[word.end() :]).strip(" ._-")
        if part and not part[1] and part[0] != UNLABELED and label:
            return part[0], label
    return None
