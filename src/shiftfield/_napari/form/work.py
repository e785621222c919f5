"""One computation on its own thread: progress, cancelling, warnings and errors, to be polled.

Plain Python without Qt, so that nothing of it can outlive a window; it never touches the viewer.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401  its hook for the end of Python must come before ours
import threading
import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from shiftfield import Cancelled

T = TypeVar("T")
Progress = Callable[[int, int], None]
Compute = Callable[[Progress, threading.Event], T]


class Work(Generic[T]):
    """Runs `compute(progress, cancel)` on a daemon thread from the moment it is made.

    Attributes
    ----------
    done, total : int
        Progress, tiles; `total` is 0 until it is known.
    notices : list of str
        Texts of the warnings that the computation gave.
    result : T or None
        What it returned.
    error : BaseException or None
        What it raised; `Cancelled` when it gave up on request.
    """

    def __init__(self, compute: Compute[T]) -> None:
        self.done, self.total = 0, 0
        self.notices: list[str] = []
        self.result: T | None = None
        self.error: BaseException | None = None
        self._compute: Compute[T] | None = compute
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shiftfield", daemon=True)
        _running.add(self)
        _listen()
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancel.is_set()

    def cancel(self, *_: Any) -> None:
        """Ask the computation to stop; it ends at its next look at the request."""
        self._cancel.set()

    def _run(self) -> None:
        compute, self._compute = self._compute, None
        assert compute is not None
        _heard[threading.get_ident()] = self.notices
        try:
            self.result = compute(self._progress, self._cancel)
        except BaseException as error:
            self.error = error
        finally:
            del _heard[threading.get_ident()]
            _running.discard(self)

    def _progress(self, done: int, total: int) -> None:
        if self._cancel.is_set():
            raise Cancelled
        self.done, self.total = done, total


_running: set[Work[Any]] = set()


def _give_up() -> None:
    """Cancel what still runs when Python ends; else it would wait for the search to be over."""
    for work in list(_running):
        work.cancel()


# Pools of threads are joined by a hook of this kind, before those of the public `atexit`; they run
# last in, first out.
getattr(threading, "_register_atexit", atexit.register)(_give_up)


# Warnings are caught by thread, not by warnings.catch_warnings: that one swaps process-wide state
# and, left in another order than entered, would mute the main thread for good.
_heard: dict[int, list[str]] = {}


def _listen() -> None:
    """Make warnings of worker threads land in their `notices`; all others go where they went."""
    warnings.filterwarnings("always", category=UserWarning, module=r"shiftfield\b")
    before = warnings.showwarning
    if getattr(before, "is_shiftfield", False):
        return

    def show(
        message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None
    ) -> None:
        notices = _heard.get(threading.get_ident())
        if notices is None or not issubclass(category, UserWarning):
            before(message, category, filename, lineno, file, line)
        elif str(message) not in notices:
            notices.append(str(message))

    show.is_shiftfield = True  # type: ignore[attr-defined]
    warnings.showwarning = show
