"""`python -m benchmarks.gpu`: its checks and counts on the emulated device; no time is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.gpu import algotom, ceilings, checks, timing
from benchmarks.gpu.cases import CHECKED, TIMED, Checked
from benchmarks.gpu.ceilings import Ceilings
from benchmarks.gpu.clock import HostClock
from benchmarks.gpu.counts import count, frames_bytes
from benchmarks.gpu.rows import Row, Table
from benchmarks.gpu.timing import Timing
from conftest import Use
from emulated import Emulated
from test_compiling import ARCHITECTURES, done, nvrtc

from shiftfield import find_shift_field
from shiftfield.dense.plans import search_of
from shiftfield.engine import why_no_gpu
from shiftfield.engine.gpu.layout import layout
from shiftfield.settings import Settings

TOP = Path(__file__).parents[2]
SMALL = {"margin": 2}


@pytest.mark.parametrize("case", CHECKED, ids=lambda case: case.name)
def test_the_checks_pass(use: Use, case: Checked) -> None:
    use(Emulated())
    small = replace(case, chosen={**case.chosen, **SMALL})
    rows = list(checks.check(small, 56))
    assert len(rows) == 2
    assert all(row.reached for row in rows), rows


def test_a_wrong_answer_is_told() -> None:
    reference, sample = CHECKED[0].images(48)
    right = find_shift_field(reference, sample, device="cpu", margin=2)
    moved, unknown = right.x.copy(), right.x.copy()
    moved[20:22] += 0.001
    unknown[20, 20] = np.nan
    for wrong in (moved, unknown):
        assert not checks.compare("", replace(right, x=wrong), right, []).reached
    assert checks.compare("", right, right, []).reached


def test_a_device_that_fails_is_no_agreement(use: Use) -> None:
    """The CPU finishes its work, and would agree with itself."""
    use(Emulated(broken_after=2))
    small = replace(CHECKED[0], chosen=SMALL)
    gpu, hybrid = checks.check(small, 48)
    assert "failed" in gpu.spoilt
    assert gpu.value == 100
    assert not gpu.reached
    assert hybrid.value == 100


def test_times_are_taken_and_judged(use: Use) -> None:
    use(Emulated())
    top = Ceilings(1000.0, 1.0, 1.0, 1.0)
    for case in TIMED:
        few = replace(case, frames=min(case.frames, 2), chosen={**case.chosen, **SMALL})
        found = timing.measure(Emulated(), HostClock(), few, 40, 1)
        assert {
            "levels",
            "windows",
            "search_best",
            "search_kept",
            "locate_peaks",
        } <= found.kernels.keys()
        assert all(ms > 0 for ms in found.kernels.values())
        assert found.copies > 0
        assert found.whole > 0

        def judged(kernels: float, whole: float, found: Timing = found) -> list[bool]:
            times = replace(found, kernels={"search_best": kernels}, copies=1.0, whole=whole)
            return [row.reached for row in timing.judged(times, 5.0, top)]

        assert judged(2.0, 4.0) == [True, True, True]
        assert judged(6.0, 12.0) == [False, True, True]
        assert judged(2.0, 8.0) == [True, True, False]
        assert not list(timing.judged(replace(found, told=("it failed",)), None, top))[2].reached


def test_hybrid_is_held_to_the_faster_of_both(use: Use) -> None:
    use(Emulated())
    (row,) = timing.together(replace(TIMED[0], chosen=SMALL), 40, 1)
    assert row.value
    assert row.value > 0
    assert [word in row.note for word in ("cpu", "gpu", "hybrid")] == [True] * 3
    assert replace(row, value=0.9).reached
    assert not replace(row, value=1.1).reached


def test_algotom_on_the_cpu_is_no_peer(use: Use) -> None:
    """Without a device it takes the CPU, and says nothing."""
    use(Emulated())
    (row,) = algotom.compare(1, 32)
    assert bool(algotom.why_not()) == (row.value is None)
    assert row.value is not None or not row.reached


def test_what_fails_is_a_row_and_the_rest_is_kept(tmp_path: Path) -> None:
    said: list[str] = []
    table = Table({"device": "none"}, tmp_path / "gpu.json", said.append)
    table.add([Row("first", 1.0, "ms", 2.0)])
    with table.part("second"):
        raise RuntimeError("cudaErrorLaunchFailure: unspecified launch failure")
    table.add([Row("third", 3.0, "x", 2.0, at_least=True)])
    kept = json.loads((tmp_path / "gpu.json").read_text())
    assert [row["reached"] for row in kept["rows"]] == [True, False, True]
    assert "unspecified launch failure" in said[1]
    assert not table.reached
    assert Table({}).reached is False


@pytest.mark.parametrize("weight", [None, "hamming"])
def test_counts_are_those_of_the_loops(weight: str | None) -> None:
    """Multiply-adds of products, from a walk over tiles and rows as the kernel's, and what grows with what."""
    search = search_of(Settings(weight=weight, margin=3), 4)
    plan = layout(search, "float32", "float32", 96 * 1024)
    counted = count(plan, 200, 300)
    passes = scores = 0
    (ey, ex), tall = search.edge, search.window[0]
    for _, _, height, _ in plan.table(200 - 2 * ey, 300 - 2 * ex, ey, ex):
        for y in range(height + tall - 1):
            passes += 1 + (weight is None and y >= tall)
            scores += y >= tall - 1
    lanes = plan.variant.span * 7 * -(-7 // plan.variant.run) * plan.variant.run
    weighing = 0 if weight is None else scores * lanes * 14
    assert counted.multiply_adds == passes * lanes * 4 + scores * lanes * 2 + weighing
    assert counted.instructions > counted.multiply_adds
    assert frames_bytes(search, 200, 300) == 2 * 4 * 200 * 300 * 4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_ceiling_compiles(architecture: str) -> None:
    source = ceilings.SOURCE.read_bytes()
    made = done(nvrtc.nvrtcCreateProgram(source, b"ceilings.cu", 0, [], []))
    (status,) = nvrtc.nvrtcCompileProgram(made, 1, [f"-arch={architecture}".encode()])
    assert int(status) == 0


@pytest.mark.skipif(not why_no_gpu(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"], cwd=TOP, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stdout.startswith("There is no GPU to measure: ")
    assert why_no_gpu() in ran.stdout
