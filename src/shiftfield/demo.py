"""`python -m shiftfield.demo`: the dense shifts of a real image pair, as numbers, file, picture, viewer.

Only the telling is here; the search is `find_shift_field` and the window `_napari.files.demo_viewer`,
which runs in a process of its own so that a machine without a display loses only the window.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import shiftfield
from shiftfield import samples
from shiftfield.field import ShiftField
from shiftfield.whole import whole

# Seen by eye on this pair: at 21 px the wake is speckled with false peaks, at 41 px the vortices
# blur; nothing moves more than 3 px, and a larger margin only adds false peaks.
WINDOW = 31
MARGIN = 5
_SCREEN = "1366x768x24"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0, or 1 when the viewer was wanted and could not be shown."""
    parser = argparse.ArgumentParser(
        prog="python -m shiftfield.demo",
        description="Find how the flow behind a cylinder moved between two images of it.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("shiftfield-demo"),
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument("--no-viewer", action="store_true", help="numbers, file and picture only")
    wanted = parser.parse_args(arguments)
    wanted.out.mkdir(parents=True, exist_ok=True)

    saved = _search(wanted.out)
    return 0 if wanted.no_viewer else show(saved, wanted.out / "viewer.png")


def _search(out: Path) -> Path:
    """Find the field, print its summary, save it and its picture in `out`; return the saved field."""
    reference, sample = samples.cylinder_flow()
    print("Cylinder flow, a PIV pair (example data of PIVlab, MIT licence)")

    # The whole pair twice: a part of it does not need all the code; the rest would be compiled while it is timed.
    began = time.perf_counter()
    _find(reference, sample, tell=True)
    first = time.perf_counter() - began
    field = _find(reference, sample)
    start = max(0.0, first - field.seconds)
    print(field.summary())
    print(
        f"start       {start:.2f} s before that, to load and compile the code (kept for next time)"
    )

    saved, picture = out / "field.h5", out / "field.png"
    field.save(saved)
    with whole(picture) as part:
        field.picture().save(part)
    print(f"field       {saved}")
    print(f"picture     {picture}")
    return saved


def _find(
    reference: NDArray[np.uint8], sample: NDArray[np.uint8], tell: bool = False
) -> ShiftField:
    """Search with the demo's settings, telling progress and warnings in plain lines if asked to."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        field = shiftfield.find_shift_field(
            reference,
            sample,
            window=WINDOW,
            margin=MARGIN,
            progress=_progress if tell and sys.stderr.isatty() else None,
        )
    for warning in caught if tell else []:
        print(f"note        {warning.message}")
    return field


def _progress(done: int, total: int) -> None:
    end = "\r" if done < total else "\r\033[K"
    print(f"{100 * done // total:3d} %", end=end, file=sys.stderr, flush=True)


def show(saved: Path, screenshot: Path) -> int:
    """Open the viewer on a saved field, or draw it into `screenshot` where there is no display."""
    if importlib.util.find_spec("napari") is None:
        print('viewer      not installed; get it with: pip install "shiftfield[napari]"')
        return 1
    if _has_display():
        print("viewer      open; close its window to end the demo")
        if _view(saved) == 0:
            return 0
        print("viewer      did not open on this display; drawing it on a virtual one instead")
    if shutil.which("Xvfb") is None:
        print(
            "viewer      there is no display, and no Xvfb to draw the window without one; get it with:"
            "\n\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends xvfb\n"
        )
        return 1
    with _virtual_display() as display:
        failed = _view(saved, "--screenshot", str(screenshot), display=display)
    if failed:
        print(
            "viewer      could not be drawn; scripts/install-system-libraries names what is missing"
        )
        return 1
    print(f"viewer      there is no display; its window is drawn in {screenshot}")
    return 0


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _view(*arguments: Path | str, display: str | None = None) -> int:
    """Run the viewer to its end, on the X display given if any; return its exit status."""
    surroundings = dict(os.environ)
    if display is not None:
        surroundings.pop("WAYLAND_DISPLAY", None)
        surroundings |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    command = [sys.executable, "-m", "shiftfield._napari.files.demo_viewer", *map(str, arguments)]
    return subprocess.run(command, env=surroundings, check=False).returncode


@contextmanager
def _virtual_display() -> Iterator[str]:
    """Run an Xvfb that chooses a free number, and give the name of its display."""
    told, tells = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(tells), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
        pass_fds=[tells],
        stderr=subprocess.DEVNULL,
    )
    os.close(tells)
    try:
        with os.fdopen(told) as number:
            yield f":{number.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
