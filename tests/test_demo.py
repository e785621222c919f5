"""The demo as a user runs it: what it prints, what it leaves, and what it does without a display."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shiftfield import ShiftField, demo


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder a run without a viewer has left, and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "new folder"
    command = [sys.executable, "-m", "shiftfield.demo", "--no-viewer", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return out, done.stdout


def test_the_summary_tells_size_settings_speed_and_answer(told: tuple[Path, str]) -> None:
    _, printed = told
    for fact in (
        r"765 x 1024 px",
        r"window 31 px, margin 5 px",
        r"[\d.]+ s, [\d,]+ pixels a second",
        r"valid +[\d.]+ %",
        r"median +x [+-][\d.]+ px, y [+-][\d.]+ px",
        r"start +[\d.]+ s",
    ):
        assert re.search(fact, printed), f"{fact!r} is not in:\n{printed}"


COUNTED = """
from numba.core import event
from shiftfield import demo

found = demo._find

def counted(*given, **more):
    with event.install_recorder("numba:compile") as recorder:
        field = found(*given, **more)
    print("compiled", len(recorder.buffer))
    return field

demo._find = counted
demo.main(["--no-viewer"])
"""


@pytest.mark.slow
def test_the_search_that_is_timed_compiles_nothing(tmp_path: Path) -> None:
    """Nor in a new installation: some kernels are for what only the whole of the images holds."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTED],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    first, *_, timed = re.findall(r"compiled (\d+)", done.stdout)
    assert int(first) > 0
    assert int(timed) == 0


def test_the_saved_field_is_the_flow(told: tuple[Path, str]) -> None:
    """About 2 px to the left outside the wake; up and down by turns within it."""
    field = ShiftField.load(told[0] / "field.h5")
    assert field.shape == (765, 1024)

    below_the_wake = np.nanmedian(field.x[600:700, 100:900])
    assert 1.5 < below_the_wake < 2.5, "motion to the left reads positive"

    along_the_wake = np.nanmedian(field.y[340:440, 30:560], axis=0)
    strong = np.sign(along_the_wake[np.abs(along_the_wake) > 0.3])
    assert np.count_nonzero(np.diff(strong)) >= 2


def test_the_picture_shows_both_signs(told: tuple[Path, str]) -> None:
    assert_blue_and_orange(told[0] / "field.png")


@pytest.mark.slow
@pytest.mark.viewer
@pytest.mark.parametrize("display", [None, ":4711"], ids=["no display", "a display that is gone"])
def test_without_a_display_the_window_is_drawn_into_a_file(
    told: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    display: str | None,
) -> None:
    set_display(monkeypatch, display)
    screenshot = tmp_path / "viewer.png"
    assert demo.show(told[0] / "field.h5", screenshot) == 0
    assert str(screenshot) in capfd.readouterr().out
    assert_blue_and_orange(screenshot)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_display_and_xvfb_it_names_the_command(
    told: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_display(monkeypatch, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.show(told[0] / "field.h5", tmp_path / "viewer.png") == 1
    assert "apt-get install" in capsys.readouterr().out
    assert not (tmp_path / "viewer.png").exists()


def set_display(monkeypatch: pytest.MonkeyPatch, display: str | None) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    assert os.environ.get("DISPLAY") == display


def assert_blue_and_orange(path: Path) -> None:
    """A picture of a shift field has many pixels of both ends of the diverging colours."""
    with Image.open(path) as picture:
        red, _, blue = np.moveaxis(np.asarray(picture.convert("RGB"), dtype=np.int32), -1, 0)
    assert np.count_nonzero(red - blue > 60) > 2000
    assert np.count_nonzero(blue - red > 60) > 2000
