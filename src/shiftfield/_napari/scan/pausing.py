"""A pause in a long computation: its thread waits where it asks whether to stop.

What is in work meanwhile is finished, so nothing of it is lost.
"""

from __future__ import annotations

import threading
from typing import Protocol

_LOOK = 0.05  # s


class Asked(Protocol):
    """What knows whether someone wants the computation to stop."""

    def is_set(self) -> bool:
        """Return whether to stop."""
        ...


class Gate:
    """A gate that a computation passes when it asks whether to stop; closed, it holds it there."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._cancel: Asked | None = None

    @property
    def closed(self) -> bool:
        """Whether the computation is held, or will be when it asks next."""
        return self._closed.is_set()

    def close(self) -> None:
        """Hold the computation."""
        self._closed.set()

    def open(self) -> None:
        """Let it go on."""
        self._closed.clear()

    def before(self, cancel: Asked) -> Gate:
        """Return the gate, which also says what `cancel` says."""
        self._cancel = cancel
        return self

    def is_set(self) -> bool:
        """Wait while the gate is closed and nobody cancels; return whether to stop."""
        cancel = self._cancel
        assert cancel is not None
        while self._closed.is_set() and not cancel.is_set():
            threading.Event().wait(_LOOK)
        return cancel.is_set()
