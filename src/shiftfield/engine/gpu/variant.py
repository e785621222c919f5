"""Which compiled kernels a search needs: a few choices that are fixed when the sources are compiled.

What is chosen here decides how much a lane holds in registers; sizes that may vary freely are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shiftfield.engine.base import MOST_THREADS, Search

_FOLDER = Path(__file__).parent / "cuda"
PROGRAMS = ("levels.cu", "prepare.cu", "search.cu", "peaks.cu")
METHODS = {"pearson": "PEARSON", "umpa": "UMPA", "umpa_dark": "UMPA_DARK"}
LANES = 32
# px; the widest windows of 4 and of 8 columns a lane: half of them make answers
_NARROW, _WIDE = 65, 193
PIXELS = {
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "float32": "float",
    "float64": "double",
}
WIDEST = _WIDE


@dataclass(frozen=True, slots=True)
class Variant:
    """The choices of `cuda/common.cuh`."""

    real: str
    pixel: str
    raw: str
    method: str
    wide: int
    columns: int
    run: int
    ring: int

    @property
    def defines(self) -> dict[str, str]:
        """Return the macros, by name."""
        return {
            "REAL": self.real,
            "PIXEL": PIXELS[self.pixel],
            "RAW": PIXELS[self.raw],
            "METHOD": METHODS[self.method],
            "WIDE": str(self.wide),
            "COLUMNS": str(self.columns),
            "RUN": str(self.run),
            "RING": str(self.ring),
            "THREADS": str(MOST_THREADS),
            "BLOCKS": "2" if (self.real, self.columns) == ("float", 4) else "1",
        }

    @property
    def itemsize(self) -> int:
        """Bytes of a score."""
        return 8 if self.real == "double" else 4

    @property
    def span(self) -> int:
        """Columns of a tile's sample rows."""
        return LANES * self.columns


def variant(search: Search, pixel: str, raw: str, *, ring: int, double: bool) -> Variant:
    """Return the variant for a search that is turned, if it must be; `ring` as in `cuda/common.cuh`."""
    wide = search.window[1]
    columns = 4 if wide <= _NARROW else 8
    run = 8 if columns == 4 and not ring and search.method != "umpa" else 4
    if double:
        run = 2 if columns == 8 or search.method == "umpa" else 4
    real = "double" if double else "float"
    return Variant(real, pixel, raw, search.method, wide, columns, run, ring)


@cache
def source(program: str) -> str:
    """Return a program's text with what it includes, each line marked with where it is from."""
    return _text(program, set())


def _text(name: str, seen: set[str]) -> str:
    seen.add(name)
    path = _FOLDER / name
    lines = [f'#line 1 "{path.name}"']
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#include"):
            other = line.split('"')[1]
            if other not in seen:
                lines += [_text(other, seen), f'#line {number + 1} "{path.name}"']
        elif line != "#pragma once":
            lines.append(line)
        else:
            lines.append("")
    return "\n".join(lines)
