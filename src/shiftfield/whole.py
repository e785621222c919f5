"""Files that are there whole or not at all: written beside their name, then renamed.

What is written is decided elsewhere; HDF5, which needs more care, has `field.whole_file`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from pathlib import Path
from secrets import token_hex


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to, which nobody foresees; it becomes `path` when no error comes."""
    part = path.with_name(f".{path.stem}.{token_hex(8)}.part{path.suffix}")
    try:
        yield part
        synced(part)
        part.replace(path)
        synced(path.parent)
    finally:
        part.unlink(missing_ok=True)


def synced(path: Path) -> None:
    """Make sure that a file, or the names in a folder, outlast a power failure, where the system can."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
    except OSError:  # a folder, on Windows
        return
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != EINVAL and not path.is_dir():
            raise
    finally:
        os.close(number)
