"""Calls that must be made in Qt's thread: a kernel hears its widgets on another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from superqt.utils import ensure_main_thread


def in_qt(call: Callable[..., object], *arguments: Any) -> None:
    """Make a call in Qt's thread: now, if this is it, else when its loop comes to it."""
    _make(call, *arguments)


@ensure_main_thread
def _make(call: Callable[..., object], *arguments: Any) -> None:
    call(*arguments)
