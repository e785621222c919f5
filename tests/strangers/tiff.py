"""TIFF files of one page with a wrong tag, a wrong description, or no page.

They are written tag for tag, since tifffile would not write them.
"""

from __future__ import annotations

import struct
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from strangers.case import Case
from strangers.pictures import named


def _tiff(
    tags: dict[int, tuple[int, int, Any]], data: bytes, folder: Path, following: int = 0
) -> str:
    """A TIFF page of (kind, number, value or bytes) for each tag, pixels at its end."""
    base: dict[int, tuple[int, int, Any]] = {
        256: (4, 1, 24),
        257: (4, 1, 24),
        258: (3, 1, 16),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 1000),
        277: (3, 1, 1),
        278: (4, 1, 24),
        279: (4, 1, 1152),
        339: (3, 1, 1),
    }
    base |= tags
    entries = b""
    for tag, (kind, number, value) in sorted(base.items()):
        packed = value if isinstance(value, bytes) else struct.pack("<I", value)
        entries += struct.pack("<HHI", tag, kind, number) + packed
    page = struct.pack("<H", len(base)) + entries + struct.pack("<I", following)
    (folder / "broken.tif").write_bytes((b"II*\0\x08\0\0\0" + page).ljust(1000, b"\0") + data)
    return str(folder / "broken.tif")


def _ome(width: int, more: str) -> bytes:
    sizes = f'SizeX="{width}" SizeY="24" SizeZ="2" SizeC="1" SizeT="1"'
    pixels = f'<Pixels {sizes} DimensionOrder="XYZCT" Type="uint16">{more}</Pixels>'
    return f'<?xml version="1.0"?><OME><Image>{pixels}</Image></OME>'.encode()


def broken_tiff() -> list[Case]:
    full = bytes(1152)
    big = 2**31 - 1
    deflated = zlib.compress(full)
    packed = {259: (3, 1, 8), 279: (4, 1, len(deflated))}
    tags: dict[str, dict[int, tuple[int, int, Any]]] = {
        "huge": {256: (4, 1, big), 257: (4, 1, big)},
        "huge, packed": {256: (4, 1, big), 257: (4, 1, big), 278: (4, 1, big), **packed},
        "large, packed": {
            256: (4, 1, 200_000),
            257: (4, 1, 200_000),
            278: (4, 1, 200_000),
            **packed,
        },
        "long rows, packed": {256: (4, 1, big), **packed},
        "of no size": {256: (4, 1, 0)},
        "of no size, packed": {257: (4, 1, 0), **packed},
        "no bits": {258: (3, 1, 0)},
        "thirteen bits": {258: (3, 1, 13)},
        "many bits": {258: (3, 1, 60_000)},
        "no such compression": {259: (3, 1, 31337)},
        "JPEG without tables": {259: (3, 1, 7)},
        "LZW of nothing": {259: (3, 1, 5)},
        "packed bits of nothing": {259: (3, 1, 32773)},
        "no such photometry": {262: (3, 1, 9999)},
        "pixels after the end": {273: (4, 1, 2**32 - 9)},
        "pixels in the header": {273: (4, 1, 0)},
        "pixels after the end, packed": {273: (4, 1, 2**32 - 9), **packed},
        "colours": {277: (3, 1, 3)},
        "many samples": {277: (3, 1, 65535)},
        "no samples": {277: (3, 1, 0)},
        "no rows in a strip": {278: (4, 1, 0)},
        "many bytes in a strip": {279: (4, 1, 2**32 - 1), 259: (3, 1, 8)},
        "no bytes in a strip": {279: (4, 1, 0), 259: (3, 1, 8)},
        "no such numbers": {339: (3, 1, 99)},
        "complex": {339: (3, 1, 6), 258: (3, 1, 64)},
        "untyped": {339: (3, 1, 4)},
        "many strips": {273: (4, 2**30, 8), 279: (4, 2**30, 8)},
        "tiles of nothing": {322: (4, 1, 0), 323: (4, 1, 0), 324: (4, 1, 1000), 325: (4, 1, 1152)},
        "huge tiles": {
            322: (4, 1, 2**30),
            323: (4, 1, 2**30),
            324: (4, 1, 1000),
            325: (4, 1, len(deflated)),
            259: (3, 1, 8),
        },
        "a predictor": {317: (3, 1, 7), **packed},
        "texts for sizes": {256: (2, 4, b"abcd")},
        "a size that is a fraction": {256: (5, 1, 8)},
        "a long description": {270: (2, 2**31, 8)},
        "volume": {32997: (4, 1, big), **packed},
        "a description of shapes": {270: (2, 3000, 1000)},
    }
    words: dict[str, bytes] = {
        "shape": b'{"shape": [1099511627776, 1099511627776]}',
        "negative shape": b'{"shape": [-1, -24, 24]}',
        "shape of texts": b'{"shape": ["a"]}',
        "nested": b"{" * 5000,
        "ImageJ": b"ImageJ=1.0\nimages=1000000000\nslices=1000000000\n",
        "ImageJ, negative": b"ImageJ=1.0\nimages=-5\nframes=-1\n",
        "OME": _ome(99_999_999, ""),
        "OME, a bomb": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
        )
        + b"]><OME>&j;</OME>",
        "OME, a file": _ome(
            24,
            '<TiffData IFD="0"><UUID FileName="../../../etc/passwd">urn:uuid:1</UUID></TiffData>',
        ),
    }
    fine = {
        "no bytes in a strip",
        "huge tiles",
        "many bytes in a strip",
        "no such photometry",
        "colours",
        "pixels in the header",
        "a long description",
        "a description of shapes",
        "volume",
        "untyped",
        "no rows in a strip",
        "no samples",
        "thirteen bits",
        "no such numbers",
        "a predictor",
    }
    cases = [
        Case(
            f"TIFF, {name}",
            "images",
            partial(_tiff, one, deflated if 259 in one else full),
            name in fine,
        )
        for name, one in tags.items()
    ]
    cases += [
        Case(
            f"TIFF, described by {name}",
            "images",
            partial(_tiff, {270: (2, len(text) + 1, 1000 + 1152)}, full + text + b"\0"),
            True,
        )
        for name, text in words.items()
    ]
    contents = {
        "only a header": b"II*\0",
        "no page": b"II*\0\0\0\0\0",
        "a page that follows itself": b"",
        "a page of many tags": b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
        "BigTIFF, no page": b"II+\0\x08\0\0\0" + bytes(8),
        "BigTIFF, many tags": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 8,
        "a Zeiss file": b"II*\0\x08\0\0\0\0\0" + bytes(50),
    }
    for name, content in contents.items():
        make = partial(named, "broken.tif", content)
        if not content:
            make = partial(_tiff, {}, full, following=8)
        cases.append(Case(f"TIFF, {name}", "images", make, not content))
    return cases
