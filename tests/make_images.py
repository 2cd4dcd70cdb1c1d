"""Small folders of coloured shapes on noise, the same for the same seed: data for tests that train.

python -m tests.make_images FOLDER     # has a look
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageDraw

SHAPES = ("disc", "square", "bars")


def shape(kind: str, size: tuple[int, int], random: np.random.Generator, *, noise: int = 60) -> Image.Image:
    """One RGB image (width, height): a shape of random place, size and colour over uniform noise."""
    width, height = size
    ground = random.integers(0, noise + 1, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    side = min(size)
    r = max(2, int(side * random.uniform(0.22, 0.4)))
    x, y = (int(random.integers(r, max(r + 1, extent - r))) for extent in size)
    color = tuple(int(v) for v in random.integers(120, 256, 3))
    if kind == "disc":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
    elif kind == "square":
        draw.rectangle((x - r, y - r, x + r, y + r), fill=color)
    else:
        for k in range(-r, r + 1, max(3, r // 2)):
            draw.line((x + k, y - r, x + k, y + r), fill=color, width=max(1, r // 5))
    return image


def photo_folder(
    root: Path,
    *,
    per_class: int = 24,
    size: tuple[int, int] = (24, 24),
    classes: Sequence[str] = SHAPES,
    seed: int = 0,
    suffix: str = "png",
    noise: int = 60,
) -> Path:
    """Writes `root/class/0000.png` … and returns `root`. A class is drawn as the shape of its place in `classes`."""
    random = np.random.default_rng(seed)
    for k, name in enumerate(classes):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(per_class):
            shape(SHAPES[k % len(SHAPES)], size, random, noise=noise).save(folder / f"{i:04d}.{suffix}")
    return root


def photo(file: Path, *, kind: str = "disc", size: tuple[int, int] = (64, 48), seed: int = 0) -> Path:
    shape(kind, size, np.random.default_rng(seed)).save(file)
    return file


def encoded(image: Image.Image | np.ndarray, form: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, form, **options)
    return stream.getvalue()


def flat_jpeg(stored: Sequence[int], size: tuple[int, int] = (16, 16), adobe: int | None = None) -> bytes:
    """A baseline JPEG of one colour, written byte by byte: what is stored in each channel, and Adobe's transform if it
    says one.

    Of the tables, all zero bits mean "as the block before, and nothing else", so that even a giant is small.
    """
    width, height = size

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    bits = ""
    for value in stored:  # the first block; brightness steps of 8 on 64 samples: the coefficient is value − 128
        coefficient = value - 128
        category = abs(coefficient).bit_length()
        stored_bits = coefficient if coefficient > 0 else coefficient + (1 << category) - 1
        bits += f"{16 + category - 1:05b}{stored_bits:0{category}b}" if category else "0"
        bits += "0"
    bits += "00" * len(stored) * (-(-width // 8) * -(-height // 8) - 1)
    bits += "1" * (-len(bits) % 8)
    scan = (int(bits, 2).to_bytes(len(bits) // 8, "big") if len(bits) < 10_000 else _packed(bits)).replace(
        b"\xff", b"\xff\0"
    )
    layers = range(1, len(stored) + 1)
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe)) if adobe is not None else b"",
            segment(0xDB, b"\0" + b"\x08" * 64),
            segment(
                0xC0,
                struct.pack(">BHHB", 8, height, width, len(stored)) + b"".join(bytes((k, 0x11, 0)) for k in layers),
            ),
            segment(0xC4, b"\0" + bytes((1, 0, 0, 0, 11)) + bytes(11) + bytes(range(12))),
            segment(0xC4, b"\x10" + bytes((1,)) + bytes(15) + b"\0"),
            segment(0xDA, bytes((len(stored),)) + b"".join(bytes((k, 0)) for k in layers) + b"\0\x3f\0"),
            scan,
            b"\xff\xd9",
        )
    )


def _packed(bits: str) -> bytes:
    return np.packbits(np.frombuffer(bits.encode(), np.uint8) - ord("0")).tobytes()


DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))  # XYZ under D50


def profile(primaries: Sequence[Sequence[float]] = DISPLAY_P3, gamma: float = 2.2, name: str = "of the tests") -> bytes:
    """An ICC profile, version 2: three primaries and one curve."""

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    text = name.encode() + b"\0"
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78 + -len(text) % 4),
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        **{k + b"XYZ": xyz(primary) for k, primary in zip((b"r", b"g", b"b"), primaries)},
        **{k + b"TRC": curve for k in (b"r", b"g", b"b")},
    }
    place, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", place + len(data), len(value))
        data += value
    head = (
        struct.pack(">I4sI4s4s4s", place + len(data), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
        + bytes(12)
        + b"acsp"
        + bytes(28)
    )
    return (
        head
        + struct.pack(">3i", 63190, 65536, 54061)
        + bytes(128 - len(head) - 12)
        + struct.pack(">I", len(tags))
        + table
        + data
    )


def one_of_each(side: int = 40) -> dict[str, bytes]:
    """Small images in every format and mode that people have, for tests that damage them."""
    random = np.random.default_rng(7)
    photo = shape("disc", (side, side * 3 // 4), random)
    pixels = np.asarray(photo)
    grey16 = (pixels[..., 0].astype(np.uint16) << 8) + 3
    alpha = Image.fromarray(np.dstack([pixels, pixels[..., 0]]))
    palette = photo.quantize(16)
    frames = [shape("square", photo.size, random).quantize(32) for _ in range(3)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * 50
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {
        "jpeg": encoded(photo, "JPEG", quality=90),
        "jpeg-progressive": encoded(photo, "JPEG", progressive=True),
        "jpeg-optimised": encoded(photo, "JPEG", optimize=True, subsampling=0),
        "jpeg-restarts": encoded(photo, "JPEG", restart_marker_rows=1),
        "jpeg-grey": encoded(photo.convert("L"), "JPEG"),
        "jpeg-cmyk": encoded(photo.convert("CMYK"), "JPEG"),
        "jpeg-exif": encoded(photo, "JPEG", exif=exif, icc_profile=profile(), comment=b"hello"),
        "jpeg-flat": flat_jpeg((200, 90, 40)),
        "mpo": encoded(photo, "MPO", save_all=True, append_images=[photo.resize((16, 12))]),
        "png": encoded(photo, icc_profile=srgb),
        "png-1": encoded(photo.convert("1")),
        "png-16": encoded(grey16),
        "png-palette": encoded(palette, transparency=2),
        "png-alpha": encoded(alpha, exif=exif, icc_profile=profile()),
        "png-animated": encoded(photo, save_all=True, append_images=frames),
        "gif": encoded(palette, "GIF", transparency=1),
        "gif-animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40),
        "webp": encoded(photo, "WEBP", exif=exif),
        "webp-lossless": encoded(alpha, "WEBP", lossless=True),
        "webp-animated": encoded(photo, "WEBP", save_all=True, append_images=frames),
        **{
            f"tiff-{kind}": encoded(photo, "TIFF", compression=kind)
            for kind in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        },
        "tiff-1": encoded(photo.convert("1"), "TIFF", compression="group4"),
        "tiff-16": encoded(grey16, "TIFF", compression="tiff_lzw"),
        "tiff-float": encoded(pixels[..., 0].astype(np.float32), "TIFF"),
        "tiff-cmyk": encoded(photo.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "tiff-pages": encoded(photo, "TIFF", save_all=True, append_images=frames),
        "bmp": encoded(photo, "BMP"),
        "bmp-palette": encoded(palette, "BMP"),
        "ppm": encoded(photo, "PPM"),
        "pgm-16": encoded(grey16, "PPM"),
        "tga": encoded(alpha, "TGA", compression="tga_rle"),
        "ico": encoded(alpha.resize((32, 32)), "ICO"),
        "jp2": encoded(photo, "JPEG2000"),
    }


if __name__ == "__main__":
    print(photo_folder(Path(sys.argv[1])))
