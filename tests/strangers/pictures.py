"""PNG, PGM, GIF and JPEG pictures that are broken, too large, or of colours.

Files of strange names are here too.
"""

from __future__ import annotations

import struct
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from strangers.case import REF, SAM, Case, Make


def _png(
    width: int, height: int, depth: int, colour: int, pixels: bytes, folder: Path, more: bytes = b""
) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    (folder / "broken.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + more
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )
    return str(folder / "broken.png")


def _text_chunk(packed: bytes) -> bytes:
    content = b"a\0\0" + packed
    return (
        struct.pack(">I", len(content))
        + b"zTXt"
        + content
        + struct.pack(">I", zlib.crc32(b"zTXt" + content))
    )


def _colours(mode: str, end: str, folder: Path) -> str:
    Image.fromarray((SAM[0] >> 3).astype(np.uint8)).convert(mode).save(folder / f"broken{end}")
    return str(folder / f"broken{end}")


def _film(folder: Path) -> str:
    frames = [Image.fromarray((one >> 3).astype(np.uint8)) for one in (REF[0], SAM[0])]
    frames[0].save(folder / "broken.gif", save_all=True, append_images=frames[1:])
    return str(folder / "broken.gif")


def _pgm(header: bytes, folder: Path) -> str:
    (folder / "broken.pgm").write_bytes(header + bytes(600))
    return str(folder / "broken.pgm")


def named(name: str, content: bytes, folder: Path) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def _folder_of(name: str, folder: Path) -> str:
    np.save(folder / name, SAM[0])
    np.save(folder / "frame_1.npy", SAM[0])
    return str(folder)


def broken_pictures() -> list[Case]:
    made: dict[str, Make] = {
        "PNG, huge": partial(_png, 2**31 - 1, 2**31 - 1, 16, 0, bytes(99)),
        "PNG, large": partial(_png, 100_000, 100_000, 8, 0, bytes(99)),
        "PNG, large enough for a warning": partial(_png, 11_000, 11_000, 8, 0, bytes(99)),
        "PNG, of no size": partial(_png, 0, 24, 8, 0, b""),
        "PNG, no such depth": partial(_png, 24, 24, 7, 0, bytes(600)),
        "PNG, no such colours": partial(_png, 24, 24, 8, 5, bytes(600)),
        "PNG, cut short": partial(_png, 24, 24, 8, 0, bytes(99)),
        "PNG, a bomb of text": partial(
            _png,
            24,
            24,
            8,
            0,
            bytes(600),
            more=_text_chunk(zlib.compress(bytes(200_000_000), 9)),
        ),
        "PNG, coloured": partial(_colours, "RGB", ".png"),
        "PNG, with a palette": partial(_colours, "P", ".png"),
        "PNG, with transparency": partial(_colours, "LA", ".png"),
        "JPEG, coloured": partial(_colours, "RGB", ".jpg"),
        "GIF, a film": _film,
        "PGM, huge": partial(_pgm, b"P5 99999999999 99999999999 255\n"),
        "PGM, large": partial(_pgm, b"P5 100000 100000 255\n"),
        "PGM, negative": partial(_pgm, b"P5 -24 24 255\n"),
        "PGM, of no size": partial(_pgm, b"P5 0 0 255\n"),
        "PGM, no such white": partial(_pgm, b"P5 24 24 99999\n"),
        "PGM, no numbers": partial(_pgm, b"P5 a b c\n"),
        "PGM, a long number": partial(_pgm, b"P5 " + b"9" * 9000 + b" 3 255\n"),
        "PGM, no end of a comment": partial(_pgm, b"P5 #" + b"a" * 9000),
        "a postscript program named PNG": partial(
            named, "broken.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
        ),
        "a TIFF named PNG": partial(named, "broken.png", b"II*\0\x08\0\0\0\0\0"),
        "no kind": partial(named, "broken.xyz", b"abc"),
        "no end": partial(named, "broken", b"abc"),
        "a long number in a name": partial(_folder_of, "9" * 200 + ".npy"),
        "a digit that is no number": partial(_folder_of, "frame_\u00b2.npy"),
    }
    fine = {
        "PNG, with a palette",
        "PNG, a bomb of text",
        "a TIFF named PNG",
        "PNG, large enough for a warning",
        "a long number in a name",
        "a digit that is no number",
    }
    return [Case(name, "images", make, name in fine) for name, make in made.items()]
