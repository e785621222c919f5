"""A bar that tells on a terminal how far a search is; silent where nobody looks."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDE = 30
_EVERY = 0.1  # s


class Bar:
    """Called as `bar(done, total)`."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = sys.stderr if out is None else out
        self.shown = self.out.isatty()
        self.began = self.told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done, and how long the rest will take."""
        now = time.monotonic()
        if not self.shown or (now - self.told < _EVERY and done < total):
            return
        self.told = now
        part = done / max(total, 1)
        left = (now - self.began) * (1 - part) / part if part else 0.0
        bar = "#" * int(_WIDE * part)
        self.out.write(f"\r[{bar:<{_WIDE}}] {100 * part:3.0f} %  {_time(left)} left ")
        self.out.flush()

    def close(self) -> None:
        """Leave the line to what comes next."""
        if self.shown:
            self.out.write("\r" + " " * (_WIDE + 30) + "\r")
            self.out.flush()


def _time(seconds: float) -> str:
    whole = int(seconds + 0.5)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
