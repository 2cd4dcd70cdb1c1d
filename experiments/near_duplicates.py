"""Claim: 256 signs of a cosine transform tell a copy of a picture from a picture that looks like it; which DISTANCE to
choose.

    python -m experiments.near_duplicates PHOTOS [MOST [SHEET.png]]      (half a minute for 2,000 photographs, one for
        50,000)

Of at most MOST (2,000) photographs, spread over the folder, copies are planted: saved again, smaller, brighter or
darker, cropped, with a text in a corner. Prints how many of each kind are found at several distances, how many pairs of
originals are taken for copies among all photographs (SHEET.png shows the nearest: some are copies), the same for the
photographs made smaller, and how many of the near pairs the search for large folders joins.

Measured on 2026-11-21, distance 42. 2,062 photographs of hands before a wall, 100 × 100: of copies saved, made smaller
or brighter 100 % are found, with a text 99 %, cropped 86–91 %, of all kinds 96.6 %; one pair of originals is taken for
a copy. At 48 bits it is 98.8 % and 8 pairs, at 56 bits 99.7 % and 50: all false, hands of different people. CIFAR-10's
50,000 for training, 32 × 32: 98–100 %, but cropped by a pixel 14–25 %; 316 pairs of originals, of which those looked at
(a hundred, up to 52 bits) were copies all. Made smaller than 32 pixels, of cropped copies hardly one is found; and of
MNIST's digits, 28 × 28, 222 of 4,000 are merged. dHash of 16 × 16 with as few false pairs (15 bits) finds half of the
cropped hands. The search for large folders joins 99.6 % or more.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from limpide.data import near_duplicates
from limpide.data.decoding.decode import Undecodable, decode

DISTANCES = (16, 24, 32, 36, 40, 42, 44, 48, 56, 64)
SIDES = (12, 16, 24, 32, 48, 64)
SIDED = 600  # photographs for the table of sides


def saved(image: Image.Image, form: str, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, form, quality=quality)
    return Image.open(data).convert("RGB")


def smaller(image: Image.Image, random: np.random.Generator) -> Image.Image:
    by = random.uniform(0.5, 0.8)
    return image.resize((max(1, round(image.width * by)), max(1, round(image.height * by))), Image.Resampling.LANCZOS)


def cropped(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """2–3 % of the width and of the height are lost, shared at random between the two sides."""
    lost = [max(1, round(extent * random.uniform(0.02, 0.03))) for extent in image.size]
    x, y = (int(random.integers(0, some + 1)) for some in lost)
    return image.crop((x, y, x + image.width - lost[0], y + image.height - lost[1]))


def cropped_each(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """2–3 % of the width and of the height are lost at each of the four sides."""
    x, y = (max(1, round(extent * random.uniform(0.02, 0.03))) for extent in image.size)
    return image.crop((x, y, image.width - x, image.height - y))


def marked(image: Image.Image) -> Image.Image:
    image = image.copy()
    height = max(5, image.height // 9)
    ImageDraw.Draw(image).text(
        (image.width * 0.6, image.height - 1.4 * height), "photo.io", fill=(255, 255, 255), font_size=height
    )
    return image


KINDS: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "JPEG 40–90": lambda image, random: saved(image, "JPEG", int(random.integers(40, 91))),
    "WebP 75": lambda image, random: saved(image, "WEBP", 75),
    "50–80 % size": lambda image, random: saved(smaller(image, random), "JPEG", 85),
    "brightness ±10 %": lambda image, random: saved(
        ImageEnhance.Brightness(image).enhance(float(random.choice([0.9, 1.1]))), "JPEG", 85
    ),
    "text in a corner": lambda image, random: saved(marked(image), "JPEG", 85),
    "crop 2–3 %": lambda image, random: saved(cropped(image, random), "JPEG", 85),
    "crop 2–3 % a side": lambda image, random: saved(cropped_each(image, random), "JPEG", 85),
}


Hash = Callable[[Image.Image], np.ndarray]


def planted(
    images: list[Image.Image], taken: Hash = near_duplicates.fingerprint
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Prints of the images and of the copies of each kind, (n, 4) each."""
    random = np.random.default_rng(0)
    copies = {kind: np.array([taken(make(image, random)) for image in images]) for kind, make in KINDS.items()}
    return np.array([taken(image) for image in images]), copies


def dhash(image: Image.Image) -> np.ndarray:
    """The difference hash of 16 × 16 bits (N. Krawetz, "Kind of like that", 2013), uint64 (4,)."""
    grey = np.asarray(image.convert("L").resize((17, 16), Image.Resampling.BILINEAR)).astype(int)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).view(np.uint64)


def dhash_table(images: list[Image.Image]) -> None:
    """How many cropped copies dHash finds, and how many pairs of originals it takes for copies."""
    originals, copies = planted(images, dhash)
    print("\ndHash:      distance, copies cropped by 2–3 % found, pairs of originals")
    for distance in (10, 15, 20, 25, 30):
        false = sum(
            int((near_duplicates._count(originals[i] ^ originals[i + 1 :]).sum(axis=-1) <= distance).sum())
            for i in range(len(originals))
        )
        found = np.mean(
            [
                (near_duplicates._count(originals ^ copies[kind]).sum(axis=-1) <= distance).mean()
                for kind in copies
                if "crop" in kind
            ]
        )
        print(f"{distance:20} {found:8.1%} {false:8}")


def far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Differing bits; 257 where the two prints are too poor to be near at this distance."""
    apart, set_bits = (
        near_duplicates._count(one ^ other).sum(axis=-1),
        (near_duplicates._count(one).sum(axis=-1), near_duplicates._count(other).sum(axis=-1)),
    )
    poor = (np.minimum(*set_bits) < near_duplicates.INFORMATIVE) | (
        near_duplicates.SHARE * apart > set_bits[0] + set_bits[1]
    )
    return np.where(poor, 257, apart)


def nearest(prints: np.ndarray, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs (m, 2) no farther apart than `most`, with how far: every pair is compared."""
    for start in range(0, len(prints), 64):
        apart = far(prints[start : start + 64, None], prints[None, start:])
        i, j = np.nonzero(apart <= most)
        i, j = i[j > i], j[j > i]
        yield np.stack([i, j], axis=1) + start, apart[i, j]


def recall(originals: np.ndarray, copies: np.ndarray, distance: int) -> float:
    return float(np.mean(far(originals, copies) <= distance))


def table(originals: np.ndarray, copies: dict[str, np.ndarray], among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = [np.concatenate(column) for column in zip(*nearest(among, DISTANCES[-1]), strict=True)]
    print(f"{'distance':18}" + "".join(f"{d:8}" for d in DISTANCES))
    for kind, prints in copies.items():
        print(f"{kind:18}" + "".join(f"{recall(originals, prints, d):8.1%}" for d in DISTANCES))
    mean = [np.mean([recall(originals, prints, d) for prints in copies.values()]) for d in DISTANCES]
    print(f"{'all kinds':18}" + "".join(f"{m:8.1%}" for m in mean))
    print(f"{'pairs of originals':18}" + "".join(f"{np.sum(found[1] <= d):8}" for d in DISTANCES))
    merged = [
        len(among) - len(np.unique(near_duplicates.linked_groups(len(among), found[0][found[1] <= d])))
        for d in DISTANCES
    ]
    print(f"{'merged in 1,000':18}" + "".join(f"{1000 * m / len(among):8.1f}" for m in merged))
    return found[0], found[1]


def sheet(
    files: list[Path], found: np.ndarray, apart: np.ndarray, file: str, side: int = 96, across: int = 6, down: int = 9
) -> None:
    """The nearest pairs of originals beyond the first bits, evenly spread up to the largest distance."""
    order = np.argsort(apart, kind="stable")[: 4 * across * down]
    page = Image.new("RGB", (across * (2 * side + 8), down * (side + 16)))
    for k, p in enumerate(order[np.linspace(0, len(order) - 1, min(len(order), across * down)).astype(int)]):
        x, y = k % across * (2 * side + 8), k // across * (side + 16)
        for half, image in enumerate(found[p]):
            page.paste(decode(files[image].read_bytes()).resize((side, side)), (x + half * side, y))
        ImageDraw.Draw(page).text((x, y + side), str(apart[p]), fill="white")
    page.save(file)


def read(files: list[Path]) -> Iterator[tuple[Path, Image.Image]]:
    for file in files:
        try:
            yield file, decode(file.read_bytes())
        except Undecodable:
            continue


def main(folder: str, most: str = "2000", picture: str = "") -> None:
    files = sorted(file for file in Path(folder).rglob("*") if file.is_file())
    pairs = [(file, near_duplicates.fingerprint(image)) for file, image in read(files)]
    files, prints = [file for file, _ in pairs], np.array([one for _, one in pairs])
    some = [files[i] for i in np.linspace(0, len(files) - 1, min(int(most), len(files))).astype(int)]
    images = [image for _, image in read(some)]
    set_bits = near_duplicates._count(prints).sum(axis=1)
    print(
        f"{len(files)} photographs; set bits: {np.percentile(set_bits, [0, 1, 50]).astype(int).tolist()} (least, "
        f"1 %, median)"
    )
    print(f"{np.mean(set_bits < near_duplicates.INFORMATIVE):.2%} tell too little; copies of {len(images)}:")
    originals, copies = planted(images)
    found, apart = table(originals, copies, prints)
    if picture:
        sheet(files, found, apart, picture)

    dhash_table(images)
    print_small(images)
    where = {file: i for i, file in enumerate(files)}
    print_large_search(originals, copies, prints, np.array([where[file] for file in some]))


def print_small(images: list[Image.Image]) -> None:
    """Photographs made smaller: how many copies are found, and how many pairs of originals are taken for copies."""
    print(f"\n{min(SIDED, len(images))} photographs made smaller, at distance {near_duplicates.DISTANCE}:")
    for side in SIDES:
        small = [
            image.resize((side, side), Image.Resampling.BICUBIC)
            for image in images[:: max(1, len(images) // SIDED)][:SIDED]
            if min(image.size) >= side
        ]
        if small:
            own, made = planted(small)
            close = sum(len(p) for p, _ in nearest(own, near_duplicates.DISTANCE))
            kinds = [recall(own, one, near_duplicates.DISTANCE) for one in made.values()]
            print(
                f"{side:4} pixels: copies found {np.mean(kinds):.1%}, of the worst kind {min(kinds):.1%}; "
                f"{close} pairs of originals"
            )


def print_large_search(
    originals: np.ndarray, copies: dict[str, np.ndarray], prints: np.ndarray, rows: np.ndarray
) -> None:
    """What the search of large folders finds. prints: of all photographs · rows: where the originals stand there."""
    everything = np.concatenate([prints, *copies.values()])
    near_duplicates.EXACT = 0  # as if the folder were large
    label = near_duplicates.linked_groups(len(everything), near_duplicates.find_pairs(everything))
    print(
        f"\nSearch for large folders, {len(everything)} prints: of the copies that are near their original, "
        f"joined to it are"
    )
    for k, (kind, own) in enumerate(copies.items()):
        near = far(originals, own) <= near_duplicates.DISTANCE
        place = len(prints) + k * len(rows) + np.arange(len(rows))
        print(f"{kind:18} {np.mean(label[place] == label[rows], where=near):8.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
