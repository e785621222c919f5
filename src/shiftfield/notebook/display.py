"""A display for a kernel that has none: napari draws into it, nobody has to see it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

_started: list[Any] = []  # the one that was started here; it ends with the process

_HOW = (
    "Install Xvfb and what Qt needs (Debian: apt-get install xvfb libxcb-icccm4 libxcb-keysyms1 libgl1 libegl1), "
    "or set DISPLAY."
)


def display_name(width: int, height: int) -> str:
    """Return the display that windows open on; start a virtual one, `width` x `height` px, where there is none.

    Raises
    ------
    RuntimeError
        When none can be started; the sentence says what to install.
    """
    if sys.platform in ("win32", "darwin"):
        return "screen"
    known = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if known:
        return known
    if shutil.which("Xvfb") is None:
        raise RuntimeError(f"There is no display for napari, and no Xvfb to make one. {_HOW}")
    from pyvirtualdisplay.display import Display

    try:
        display = Display(visible=False, size=(width, height), color_depth=24)
        display.start()
    except Exception as error:  # of many kinds; all mean that there is no display
        raise RuntimeError(f"Xvfb does not start: {error}. {_HOW}") from error
    _started.append(display)
    return os.environ["DISPLAY"]
