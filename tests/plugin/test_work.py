"""A computation on its own thread: what it returns, raises, warns, and that it can be stopped."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import pytest

from shiftfield import Cancelled
from shiftfield._napari.form.work import Work


def ended(work: Work[Any], timeout: float = 5) -> Work[Any]:
    end = time.monotonic() + timeout
    while not work.finished:
        assert time.monotonic() < end
        time.sleep(0.002)
    return work


def test_the_result_and_the_progress_are_kept() -> None:
    def compute(progress: Any, _: Any) -> str:
        progress(3, 8)
        return threading.current_thread().name

    work = ended(Work(compute))
    assert work.result == "shiftfield"
    assert (work.done, work.total) == (3, 8)
    assert work.error is None


def test_an_error_is_kept_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def compute(*_: Any) -> None:
        raise KeyError("lost")

    assert isinstance(ended(Work(compute)).error, KeyError)
    assert capfd.readouterr().err == ""


def test_cancelling_stops_at_the_next_report() -> None:
    def compute(progress: Any, _: Any) -> None:
        while True:
            progress(0, 1)
            time.sleep(0.001)

    work = Work(compute)
    work.cancel()
    assert isinstance(ended(work).error, Cancelled)


def test_warnings_go_to_the_work_that_gave_them_and_only_those() -> None:
    gate = threading.Barrier(3)

    def warning(text: str) -> Any:
        def compute(*_: Any) -> None:
            gate.wait()
            warnings.warn(text, UserWarning, stacklevel=2)
            warnings.warn(text, UserWarning, stacklevel=2)
            gate.wait()

        return compute

    works = [Work(warning("one")), Work(warning("two"))]
    gate.wait()
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    gate.wait()
    assert [ended(work).notices for work in works] == [["one"], ["two"]]


def test_the_same_warning_is_heard_in_every_run() -> None:
    def compute(*_: Any) -> None:
        warnings.warn("again", UserWarning, stacklevel=2)

    for _ in range(3):
        assert ended(Work(compute)).notices == ["again"]


def test_python_can_end_while_a_run_goes_on() -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
import time
from shiftfield._napari.form.work import Work

def compute(progress, cancel):
    pool = ThreadPoolExecutor(1)
    tiles = [pool.submit(time.sleep, 0.05) for _ in range(2000)]
    try:
        for tile in tiles:
            tile.result()
            progress(0, 1)
    finally:
        pool.shutdown(cancel_futures=True)

Work(compute)
time.sleep(0.2)
"""
    ended = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True)
    assert ended.returncode == 0
    assert ended.stderr == b""
