"""A worker that answers the latest of many requests: those that wait are dropped at once for a newer one.

Plain Python: a viewer polls it, a notebook is called back; it touches neither.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class Request(Generic[T]):
    """What is asked: `compute(cancel)`; afterwards its result, or the error it raised.

    `patience` is how long, s, it may have run when a newer request comes and is not called off for it: requests
    may come faster than answers, and each would then stop the one before.
    """

    compute: Callable[[threading.Event], T]
    patience: float = 0.0
    cancel: threading.Event = field(default_factory=threading.Event)
    started: float = 0.0
    seconds: float = 0.0
    result: T | None = None
    error: BaseException | None = None


class Latest(Generic[T]):
    """One daemon thread, made with the first request and gone after `idle` s without any.

    Answers are fetched by `answer`, or handed to `told`, on that thread.
    """

    def __init__(
        self, idle: float = 5.0, told: Callable[[Request[T]], object] | None = None
    ) -> None:
        self._idle, self._told = idle, told
        self._ready = threading.Condition()
        self._waiting: Request[T] | None = None
        self._running: Request[T] | None = None
        self._answers: list[Request[T]] = []
        self._thread: threading.Thread | None = None
        self.asked = self.answered = self.dropped = 0

    def ask(self, request: Request[T]) -> None:
        """Let `request` be the next; what waited is dropped, what has run for too long is called off."""
        with self._ready:
            self.asked += 1
            self.dropped += self._waiting is not None
            self._waiting = request
            running = self._running
            if running is not None and time.monotonic() - running.started >= running.patience:
                running.cancel.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="shiftfield live", daemon=True
                )
                self._thread.start()
            self._ready.notify()

    def answer(self) -> Request[T] | None:
        """Return the newest answered request since the last call, or None."""
        with self._ready:
            answers, self._answers = self._answers, []
        return answers[-1] if answers else None

    @property
    def busy(self) -> bool:
        """Whether a request runs, waits, or has an answer that was not taken."""
        with self._ready:
            return bool(self._running or self._waiting or self._answers)

    def stop(self) -> None:
        """Drop what waits and call off what runs."""
        with self._ready:
            self._waiting = None
            self._answers = []
            if self._running is not None:
                self._running.cancel.set()
            self._ready.notify()

    def _work(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._waiting is not None, timeout=self._idle)
                request, self._waiting = self._waiting, None
                if request is None:
                    self._thread = None
                    return
                self._running = request
                request.started = time.monotonic()
            try:
                request.result = request.compute(request.cancel)
            except BaseException as error:
                request.error = error
            request.seconds = time.monotonic() - request.started
            good = not request.cancel.is_set()
            if good and self._told is not None:
                self._told(request)
            with self._ready:
                self._running = None
                self.answered += good
                if good and self._told is None:
                    self._answers.append(request)
            del request
