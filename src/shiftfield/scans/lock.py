"""One process at a time writes a scan; who is killed lets go.

What is written, and how, is the business of the stores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from shiftfield.scans.store import OutputError


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only one that writes `path`; an OutputError when another process, or thread, does so now.

    Where the folder or the file system lets no file be locked, nothing is held.
    """
    name = path.with_name(f".{path.name}.lock")
    number = _locked(name, path)
    try:
        yield
    finally:
        if number is not None:
            with suppress(OSError):  # gone by itself when it is closed, on Windows
                name.unlink(missing_ok=True)
            os.close(number)


def _locked(name: Path, path: Path) -> int | None:
    """Return the descriptor that holds the lock, or None where there is none to be had."""
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)  # where a link leads is not ours
    if os.name == "nt":
        flags |= os.O_EXCL | os.O_TEMPORARY  # type: ignore[attr-defined,unused-ignore]
    while True:
        try:
            number = os.open(name, flags, 0o644)
        except FileExistsError as error:
            raise _busy(path) from error
        except OSError:
            return None
        if os.name == "nt":
            return number
        fcntl = import_module("fcntl")
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(number)
            raise _busy(path) from error
        except OSError:
            os.close(number)
            return None
        with suppress(FileNotFoundError):
            if os.fstat(number).st_ino == name.stat().st_ino:
                return number
        os.close(number)  # who had it has removed its name in the meantime


def _busy(path: Path) -> OutputError:
    return OutputError(f"{path} is being written by another process; wait until it has ended.")
