"""A process that does jobs of one program when told to and says how long they took, or what they needed.

One line of JSON in, one line out. `measure` starts it and asks in turn; nothing is decided here.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Job
from benchmarks.images import load
from benchmarks.programs import answer_of, call_of
from shiftfield import Cancelled, find_shift_field

_LONG_ENOUGH = 0.2  # s; shorter calls are repeated within one timing
_NOT_TOO_LONG = 2.0  # s; a call that takes no longer is also done once in full before it is timed
_BEGUN = 0.3  # s after which a search is asked to stop
_WARM = 12  # pixels a side of the small image that everything is loaded and compiled with


def main(folder: Path) -> None:
    """Answer until there is no more to read; whatever programs print goes to stderr."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    work = {"warm": warm, "timed": timed, "memory": memory, "cancel": cancel, "save": save}
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            said = {"said": work[ask["do"]](folder, Job(**ask["job"]))}
        except Exception as error:
            said = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), file=out, flush=True)


def _prepared(folder: Path, job: Job) -> Callable[[], Any]:
    return call_of(job, *load(folder, job))


def warm(folder: Path, job: Job) -> None:
    """Import, compile and fill caches: a small image, then the job itself unless that takes long."""
    small = job if job.kind != "field" else job.of_side(_WARM)
    call = _prepared(folder, small)
    call()
    if job.answers / small.answers * _seconds(call) < _NOT_TOO_LONG:
        _prepared(folder, job)()


def timed(folder: Path, job: Job) -> float:
    """Return the seconds of one call: the median where short ones are repeated."""
    call = _prepared(folder, job)
    times = [_seconds(call)]
    while sum(times) < _LONG_ENOUGH:
        times.append(_seconds(call))
    return float(np.median(times))


def memory(folder: Path, job: Job) -> float:
    """Return by how many bytes the process grew in a call, beyond input and what is returned."""
    _prepared(folder, job.of_side(_WARM))()  # imports and compiled code, but no image of full size
    call = _prepared(folder, job)
    _give_back_freed_memory()
    before = _reset_peak()
    returned = call()
    output = sum(image.nbytes for image in _arrays(returned))
    return float(_status("VmHWM") - before - output)


def cancel(folder: Path, job: Job) -> float:
    """Return the seconds from asking a search to stop, once it has begun, until none of its threads runs."""
    _prepared(folder, job.of_side(_WARM))()
    images = load(folder, job)
    asked = threading.Event()
    times: list[float] = []

    def ask() -> None:
        times.append(time.perf_counter())
        asked.set()

    later = threading.Timer(_BEGUN, ask)
    later.start()
    try:
        find_shift_field(*images, window=job.window, margin=job.margin, cancel=asked)
    except Cancelled:
        while any(thread.name.startswith("shiftfield_") for thread in threading.enumerate()):
            time.sleep(0.001)
        return time.perf_counter() - times[0]
    finally:
        later.cancel()
    raise RuntimeError("the search was over before it could be cancelled")


def save(folder: Path, job: Job) -> str:
    """Write the answer of a job in our terms and return the file's name."""
    path = folder / f"answer-{os.getpid()}.npz"
    answer: dict[str, Any] = answer_of(job, _prepared(folder, job)())
    np.savez(path, **answer)
    return str(path)


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _arrays(returned: Any) -> list[np.ndarray]:
    """Return the arrays of a ShiftField or of a tuple."""
    found = returned.quantities().values() if hasattr(returned, "quantities") else returned
    return [image for image in found if isinstance(image, np.ndarray)]


def _give_back_freed_memory() -> None:
    """Return to the system what was freed, or the call would fill it again unseen (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _reset_peak() -> int:
    """Let the peak of resident memory start again from now (Linux); return what is resident, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    """Return an entry of this process's status, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    value = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(value) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
