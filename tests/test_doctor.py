"""What the machine has is told truly: each reason for no GPU apart, and `shiftfield doctor`."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shiftfield.__main__ import main
from shiftfield.engine.device import gpus


class RefusedError(RuntimeError):
    """An error as CuPy raises it: with the runtime's number."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"cudaError {status}: refused\nand more")


def cupy_that(count: int | Exception, driver: int = 12040) -> ModuleType:
    """Return what CuPy's runtime says on such a machine."""

    def counted() -> int:
        if isinstance(count, Exception):
            raise count
        return count

    module: Any = ModuleType("cupy")
    module.cuda = SimpleNamespace(
        Device=Here,
        runtime=SimpleNamespace(
            getDeviceCount=counted,
            driverGetVersion=lambda: driver,
            runtimeGetVersion=lambda: 12090,
            getDeviceProperties=lambda _: {"name": b"NVIDIA H100", "major": 9, "minor": 0},
            memGetInfo=lambda: (60 * 2**30, 80 * 2**30),
        ),
    )
    found: ModuleType = module
    return found


class Here:
    """A device made current, as `cupy.cuda.Device`."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("cupy", "words"),
    [
        (None, "CuPy is not installed (install it with pip install"),
        (cupy_that(RefusedError(35), driver=0), "there is no NVIDIA driver"),
        (
            cupy_that(RefusedError(35), driver=11040),
            "the NVIDIA driver supports CUDA 11.4 and CuPy is made for 12.9 (update the driver",
        ),
        (cupy_that(RefusedError(100)), "CUDA sees no device"),
        (cupy_that(0), "CUDA sees no device"),
        (cupy_that(RefusedError(46)), "CUDA refuses: cudaError 46: refused"),
    ],
)
def test_each_reason_for_no_gpu_is_told_apart(
    cupy: ModuleType | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    found, reason = gpus()
    assert found == []
    assert reason.startswith(words)


def test_a_cupy_that_cannot_be_imported_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cupy.py").write_text("raise OSError('libcudart.so.12: cannot open\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    found, reason = gpus()
    assert found == []
    assert reason.startswith("CuPy cannot be imported: libcudart.so.12: cannot open (install it")


@pytest.mark.skipif(not find_spec("cupy"), reason="pip install cupy-cuda12x")
def test_the_real_cupy_is_understood() -> None:
    found, reason = gpus()
    assert bool(found) is not bool(reason)
    assert bool(found) is import_module("cupy").cuda.is_available()


def test_a_device_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy_that(1))
    (gpu,), reason = gpus()
    assert (gpu.name, gpu.architecture, reason) == ("NVIDIA H100", "sm_90", "")
    assert gpu.free / gpu.total == 0.75


def test_doctor_tells_what_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["numpy"] == np.__version__
    assert lines["would"].startswith("use")
    assert "cores" in lines
    assert "kernels" in lines


def test_doctor_shows_a_gpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy_that(1))
    main(["doctor"])
    assert "NVIDIA H100, sm_90, 64.4 GB of 85.9 GB free" in capsys.readouterr().out


def test_the_command_says_what_it_can_do() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "shiftfield", "--help"], capture_output=True, text=True, check=True
    )
    assert "doctor" in told.stdout
    assert "demo" in told.stdout
    wrong = subprocess.run([sys.executable, "-m", "shiftfield", "doktor"], capture_output=True)
    assert wrong.returncode == 2
