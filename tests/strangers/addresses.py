"""Addresses of what is no file at all.

Each is given to several who open files.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from strangers.case import Case


def _at(text: str, folder: Path) -> str:
    return (
        text if text.startswith(("/", "~")) or not text or text[:2] == "::" else str(folder / text)
    )


def broken_everywhere() -> list[Case]:
    """What is no file at all."""
    strange = {
        "nothing": "",
        "a zero": "bro\0ken.h5",
        "a long name": "a" * 5000 + ".h5",
        "a long pattern": "*" * 3000 + ".tif",
        "half a bracket": "broken[.tif",
        "the terminal": "/dev/tty.h5",
        "nowhere": "/nowhere/at/all/broken.npy",
        "a user who is not": "~nobody-at-all/broken.npy",
        "only an inside": "::data",
        "two insides": "broken.h5::a::b",
        "a folder of nothing": ".",
        "stars": "**/**/**/**.tif",
    }
    return [
        Case(
            f"address, {name} ({entry})",
            entry,
            partial(_at, text),
            entry == "settings" and name == "x",
        )
        for name, text in strange.items()
        for entry in ("images", "field", "scan", "settings")
    ]
