"""Every variant of the kernels compiles for the GPUs that are in use, without spilling a register."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from typing import Any

import pytest

from shiftfield.engine import Search
from shiftfield.engine.gpu.layout import layout
from shiftfield.engine.gpu.variant import METHODS, PIXELS, PROGRAMS, Variant, source, variant
from shiftfield.stream.plan import window_weights

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc", reason="pip install cuda-bindings nvidia-cuda-nvrtc-cu12"
)

ARCHITECTURES = {
    "sm_70": 96 * 1024,
    "sm_80": 163 * 1024,
    "sm_90": 227 * 1024,
}  # shared memory of a block
WIDE = (7, 65, 193)


def done(answer: tuple[Any, ...]) -> Any:
    assert int(answer[0]) == 0, answer[0]
    return answer[1] if len(answer) == 2 else answer[1:]


@cache
def compiled(chosen: Variant, program: str, architecture: str) -> dict[str, dict[str, int]]:
    """Compile a program; return what ptxas says of each kernel: spilled bytes, registers, shared memory."""
    made = done(nvrtc.nvrtcCreateProgram(source(program).encode(), program.encode(), 0, [], []))
    options = [f"-D{name}={value}" for name, value in chosen.defines.items()]
    options += [f"-arch={architecture}", "-std=c++17", "-Xptxas=-v"]
    (status,) = nvrtc.nvrtcCompileProgram(
        made, len(options), [option.encode() for option in options]
    )
    log = bytearray(done(nvrtc.nvrtcGetProgramLogSize(made)))
    nvrtc.nvrtcGetProgramLog(made, log)
    said = bytes(log).decode()
    assert int(status) == 0, said
    parts = re.split(r"Compiling entry function '(\w+)'", said)
    found = {}
    for kernel, text in zip(parts[1::2], parts[2::2], strict=True):
        found[kernel] = {
            "spilled": sum(map(int, re.findall(r"(\d+) bytes spill", text))),
            "registers": int(re.findall(r"Used (\d+) registers", text)[0]),
            "shared": sum(map(int, re.findall(r"(\d+) bytes smem", text))),
        }
    return found


def search(method: str, wide: int, weighted: bool, frames: int = 2) -> Search:
    weights = window_weights(wide, "hamming" if weighted and wide > 1 else None)
    return Search(method, frames, (weights, weights), (10, 10), "diff", 3)


def variants() -> list[Variant]:
    """Return the variants that searches of all kinds use."""
    found = {
        variant(search(method, wide, ring > 0), "float32", "float32", ring=ring, double=double)
        for method, wide, ring, double in product(METHODS, WIDE, range(3), (False, True))
        if ring or not double
    }
    return sorted(found, key=str)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_search_compiles_without_spilling(architecture: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda v: (v, compiled(v, "search.cu", architecture)), variants()))
    assert len(told) == len(METHODS) * len(WIDE) * 5
    for chosen, kernels in told:
        assert set(kernels) == {"search_best", "search_kept", "runs_to_keep"}
        for name, kernel in kernels.items():
            assert kernel["spilled"] == 0, (chosen, name, kernel)
            assert kernel["shared"] == 0, "all shared memory is asked for at the launch"
        two_blocks = architecture != "sm_70" and (chosen.real, chosen.columns) == ("float", 4)
        assert max(k["registers"] for k in kernels.values()) <= (128 if two_blocks else 255)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p != "search.cu"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_other_programs_compile_for_all_pixels(architecture: str, program: str) -> None:
    chosen = [
        variant(search(method, 7, False), pixel, raw, ring=int(double), double=double)
        for method, raw, double in product(METHODS, PIXELS, (False, True))
        for pixel in (raw, "float64")
        if raw == "float32" or method == "pearson"
    ]
    reads = {"levels.cu": ["PIXEL"], "peaks.cu": ["REAL", "METHOD"]}.get(
        program, list(chosen[0].defines)
    )
    chosen = list({tuple(one.defines[name] for name in reads): one for one in chosen}.values())
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda v: (v, compiled(v, program, architecture)), chosen))
    for one, kernels in told:
        for name, kernel in kernels.items():
            assert kernel["spilled"] == 0, (one, name, kernel)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shared_memory_stays_within_the_limits(architecture: str) -> None:
    """What a launch asks for is known beforehand; a ring that does not fit lies in global memory."""
    limit = ARCHITECTURES[architecture]
    rings = set()
    for method, wide, weighted, double in product(METHODS, WIDE, (False, True), (False, True)):
        plan = layout(search(method, wide, weighted), "float32", "float32", limit, double=double)
        assert plan.shared <= limit
        assert 1 <= plan.warps <= 8
        rings.add(plan.variant.ring)
    assert rings == {0, 1, 2}
