"""`python -m benchmarks.gpu`: its checks and counts on the emulated device; no time is judged here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import ceilings, checks, timing
from benchmarks.gpu.cases import CHECKED, TIMED
from benchmarks.gpu.clock import HostClock
from benchmarks.gpu.counts import count, frames_bytes
from conftest import Use
from emulated import Emulated
from test_compiling import ARCHITECTURES, done, nvrtc

from shiftfield import find_shift_field
from shiftfield.dense import search_of
from shiftfield.engine import why_no_gpu
from shiftfield.engine.gpu.layout import layout
from shiftfield.settings import Settings

TOP = Path(__file__).parents[2]
SMALL = {"margin": 2}


@pytest.mark.parametrize("case", CHECKED, ids=lambda case: case.name)
def test_the_checks_pass(use: Use, case: checks.Checked) -> None:
    use(Emulated())
    small = replace(case, chosen={**case.chosen, **SMALL})
    for found in checks.check(small, 56):
        assert found.reached, found


def test_a_wrong_answer_is_told() -> None:
    reference, sample = CHECKED[0].images(48)
    right = find_shift_field(reference, sample, device="cpu", margin=2)
    moved, unknown = right.x.copy(), right.x.copy()
    moved[20:22] += 0.001
    unknown[20, 20] = np.nan
    for wrong in (moved, unknown):
        assert not checks.compare("", "gpu", replace(right, x=wrong), right, 0).reached
    assert checks.compare("", "gpu", right, right, 0).reached


def test_times_are_taken_and_judged(use: Use) -> None:
    use(Emulated())
    cases = [
        replace(case, frames=min(case.frames, 2), chosen={**case.chosen, **SMALL}) for case in TIMED
    ]
    found = [timing.measure(Emulated(), HostClock(), case, 40, 1) for case in cases]
    said: list[str] = []
    rows = command.timed(found, True, None, said.append)
    assert all(row["kernels"] > 0 and row["copies"] > 0 and row["whole"] > 0 for row in rows)
    slow = [replace(one, kernels=1e6, whole=1e6) for one in found]
    assert not any(row["reached"] for row in command.timed(slow, True, None, said.append))
    fast = [replace(one, kernels=1.0, copies=1.0, whole=2.0) for one in found]
    assert all(row["reached"] for row in command.timed(fast, True, None, said.append))
    late = [replace(one, kernels=1.0, copies=1.0, whole=4.0) for one in found]
    assert not any(row["reached"] for row in command.timed(late, False, None, said.append))


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
