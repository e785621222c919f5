"""Every kind of file broken without knowing what it is: cut, flipped, overwritten, replaced.

What is wrong in it is drawn from a seed.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np

from strangers.case import Case, Make
from strangers.whole import WHOLE, ready


def _cut(make: Make, file: str, part: float, folder: Path) -> str:
    """A file that ends too soon."""
    address = ready(make, folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(part * len(content))])
    return address


def _flipped(make: Make, file: str, seed: int, folder: Path) -> str:
    """A file with a few wrong bytes, every other time near its beginning."""
    rng = np.random.default_rng(seed)
    address = ready(make, folder)
    content = bytearray((folder / file).read_bytes())
    reach = min(len(content), 600) if seed % 2 else len(content)
    for at in rng.integers(0, reach, rng.integers(1, 9)):
        content[at] = (
            content[at] ^ (1 << rng.integers(0, 8)) if seed % 3 else rng.choice([0, 127, 255])
        )
    (folder / file).write_bytes(content)
    return address


def _strange(make: Make, file: str, content: bytes, folder: Path) -> str:
    address = ready(make, folder)
    (folder / file).write_bytes(content)
    return address


def _directory(make: Make, file: str, folder: Path) -> str:
    address = ready(make, folder)
    (folder / file).unlink()
    (folder / file).mkdir()
    return address


def _pipe(make: Make, file: str, folder: Path) -> str:
    address = ready(make, folder)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    return address


def _unreadable(make: Make, file: str, folder: Path) -> str:
    address = ready(make, folder)
    (folder / file).chmod(0)
    return address


def broken_anyhow(cuts: int, flips: int, seed: int) -> list[Case]:
    """Every kind of file broken without knowing what it is."""
    found: list[Case] = []
    for kind, (make, entry, files) in WHOLE.items():
        for file in files:
            end = f"{kind}, {Path(file).name}" if len(files) > 1 else kind
            for n in range(cuts):
                part = n / cuts
                found.append(
                    Case(f"{end}, cut at {part:.2f}", entry, partial(_cut, make, file, part), True)
                )
            found += [
                Case(f"{end}, wrong bytes {n}", entry, partial(_flipped, make, file, n), True)
                for n in range(seed, seed + flips)
            ]
            for name, content in {
                "zeros": bytes(3000),
                "ones": b"\xff" * 3000,
                "words": b"no such thing\n" * 9,
            }.items():
                found.append(
                    Case(f"{end}, {name}", entry, partial(_strange, make, file, content), True)
                )
            found += [
                Case(f"{end}, a folder", entry, partial(_directory, make, file), True),
                Case(f"{end}, a pipe", entry, partial(_pipe, make, file), True),
                Case(f"{end}, not to be read", entry, partial(_unreadable, make, file), True),
            ]
    return found
