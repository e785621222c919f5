"""No kernel reads or writes beside its memory, no barrier is missing; the sanitizers do find planted faults."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from emulated import CUDA, HERE

LIBRARIES = {"address": "libasan.so", "thread": "libtsan.so"}
SAID = {"address": "AddressSanitizer", "thread": "ThreadSanitizer"}
# sanitizer -> (file, what is there, what is planted instead)
PLANTED = {
    "address": ("search.cu", "(y + dy) * f.pitch", "(y + dy + 400) * f.pitch"),
    "thread": (
        "search.cu",
        "__syncthreads();\n            if (row % warps == warp)",
        "if (row % warps == warp)",
    ),
}


def run(sanitizer: str, folder: Path) -> subprocess.CompletedProcess[str]:
    library = subprocess.run(
        ["g++", f"-print-file-name={LIBRARIES[sanitizer]}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if not Path(library).is_absolute():
        pytest.fail(f"{LIBRARIES[sanitizer]} is missing: install g++ with its sanitizers")
    paths = [str(path) for path in (HERE, HERE.parent, CUDA.parents[3])]
    return subprocess.run(
        [sys.executable, str(HERE / "sanitized.py"), sanitizer, str(folder)],
        env=os.environ | {
            "LD_PRELOAD": library, "PYTHONPATH": os.pathsep.join(paths),
            "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0", "TSAN_OPTIONS": "halt_on_error=1",
        },
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", LIBRARIES)
def test_the_kernels_are_clean(sanitizer: str) -> None:
    told = run(sanitizer, CUDA)
    assert told.returncode == 0, told.stderr[-4000:]
    assert f"ERROR: {SAID[sanitizer]}" not in told.stderr
    assert f"WARNING: {SAID[sanitizer]}" not in told.stderr
    assert told.stdout.count("answers") == 4


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", LIBRARIES)
def test_a_planted_fault_is_found(sanitizer: str, tmp_path: Path) -> None:
    folder = tmp_path / "cuda"
    shutil.copytree(CUDA, folder)
    name, there, planted = PLANTED[sanitizer]
    text = (folder / name).read_text(encoding="utf-8")
    assert there in text
    (folder / name).write_text(text.replace(there, planted), encoding="utf-8")
    told = run(sanitizer, folder)
    assert told.returncode != 0
    assert SAID[sanitizer] in told.stderr
    assert "search.cu" in told.stderr
