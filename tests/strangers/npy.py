"""NPY files whose header lies, is no header, or is followed by a pickle.

They are written byte for byte, since NumPy would not write them.
"""

from __future__ import annotations

import pickle
import struct
from functools import partial
from pathlib import Path

import numpy as np

from strangers.case import HUGE, SAM, Case
from strangers.pickles import Runs


def _npy_of(header: str, content: bytes, version: int, folder: Path) -> str:
    text = header.encode("latin1" if version < 3 else "utf-8")
    length = struct.pack(
        "<H" if version == 1 else "<I", len(text) % (1 << 16 if version == 1 else 1 << 32)
    )
    (folder / "broken.npy").write_bytes(
        b"\x93NUMPY" + bytes([version, 0]) + length + text + content
    )
    return str(folder / "broken.npy")


def _npy_content(content: bytes, folder: Path) -> str:
    (folder / "broken.npy").write_bytes(content)
    return str(folder / "broken.npy")


def broken_npy() -> list[Case]:
    full = bytes(24 * 24 * 2)
    plain = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n"
    headers: dict[str, tuple[str, bytes]] = {
        "huge": (plain.format("'<u2'", False, (HUGE, HUGE)), full),
        "huge, in columns": (plain.format("'<u2'", True, (HUGE, HUGE)), full),
        "huge, overflowing to nothing": (plain.format("'<u2'", False, (1 << 32, 1 << 32)), full),
        "huge, 5 GB in columns": (plain.format("'<u2'", True, (50_000, 50_000)), full),
        "of negative size": (plain.format("'<u2'", False, (-24, 24)), full),
        "of twice negative size": (plain.format("'<u2'", False, (-24, -24)), full),
        "of no size": (plain.format("'<u2'", False, (0, 24)), full),
        "no axes": (plain.format("'<u2'", False, ()), full),
        "a line": (plain.format("'<u2'", False, (576,)), full),
        "a long line": (plain.format("'<u2'", False, (HUGE,)), full),
        "forty axes": (plain.format("'<u2'", False, (1,) * 40), full),
        "seventy axes": (plain.format("'<u2'", False, (1,) * 70), full),
        "a fraction for a size": (plain.format("'<u2'", False, (24.5, 24)), full),
        "a switch for a size": (plain.format("'<u2'", False, (True, 576)), full),
        "objects": (
            plain.format("'|O'", False, (24, 24)),
            pickle.dumps(np.array([Runs()], object)),
        ),
        "texts": (plain.format("'<U2'", False, (12, 24)), full * 4),
        "bytes": (plain.format("'|S2'", False, (24, 24)), full),
        "times": (plain.format("'<M8[s]'", False, (12, 12)), full),
        "complex": (plain.format("'<c8'", False, (12, 12)), full),
        "compound": (plain.format("[('a', '<u2'), ('b', '<u2')]", False, (12, 24)), full),
        "arrays": (plain.format("('<u2', (2,))", False, (12, 24)), full),
        "no size of a pixel": (plain.format("'|V0'", False, (24, 24)), full),
        "texts of no size": (plain.format("'<U0'", False, (24, 24)), full),
        "no such type": (plain.format("'<q9'", False, (24, 24)), full),
        "a type that is a number": (plain.format("7", False, (24, 24)), full),
        "a call": (
            "{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (24, 24)}\n",
            full,
        ),
        "nested deep": ("(" * 5000 + ")" * 5000 + "\n", full),
        "nested deep, signs": ("-" * 9000 + "1\n", full),
        "no dict": ("[1, 2, 3]\n", full),
        "nothing": ("\n", full),
        "keys missing": ("{'descr': '<u2'}\n", full),
        "a long header": (
            plain.format("'<u2'", False, (24, 24)).strip() + " " * 60_000 + "\n",
            full,
        ),
        "cut short": (plain.format("'<u2'", False, (24, 24)), full[:-1]),
    }
    cases = [
        Case(
            f"NPY, {name}",
            "images",
            partial(_npy_of, header, content, 1 + n % 3),
            name == "a switch for a size",
        )
        for n, (name, (header, content)) in enumerate(headers.items())
    ]
    contents = {
        "a pickle": pickle.dumps(Runs()),
        "a pickle of an array": pickle.dumps(SAM),
        "version 9": b"\x93NUMPY\x09\x00\x01\x00",
        "an archive": b"PK\x03\x04" + bytes(100),
        "an empty archive": b"PK\x05\x06" + bytes(18),
        "a header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
        "a header of nothing": b"\x93NUMPY\x01\x00\x00\x00",
    }
    return cases + [
        Case(f"NPY, {name}", "images", partial(_npy_content, content))
        for name, content in contents.items()
    ]
