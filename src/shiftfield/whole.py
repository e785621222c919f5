"""Names of files as callers give them; files that are there whole or not at all: written beside, then renamed.

What is written is decided elsewhere; HDF5, which needs more care, has `field.whole_file`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EBADF, EINVAL, ELOOP, ENOENT, ENOTDIR
from pathlib import Path
from secrets import token_hex
from typing import Any

from shiftfield.strangers import clipped

_NOT_THERE = ENOENT, ENOTDIR, EBADF, ELOOP


def path_of(given: Any, name: str = "path") -> Path:
    """Return the path that a caller gave, `~` resolved; a ValueError where it names no file or folder."""
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError(f"{name} is {clipped(repr(given))}; it must name a file or a folder.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{name} is {clipped(text)}, and there is no such user.") from error
    try:
        path.stat()
    except OSError as error:  # else too long, or in a folder that may not be looked into
        if error.errno not in _NOT_THERE:
            raise ValueError(f"{name} is {clipped(text)}: {error.strerror}.") from error
    return path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to, which nobody foresees; it becomes `path` when no error comes.

    An OSError says in a sentence why it cannot be written.
    """
    part = path.with_name(f".{path.stem}.{token_hex(8)}.part{path.suffix}")
    try:
        yield part
        synced(part)
        part.replace(path)
        synced(path.parent)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}.") from error
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
