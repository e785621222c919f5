"""What a search takes beyond its answer stays within `memory`, whatever the function: peaks of processes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import h5py
import numpy as np
import pytest
from scenes import moved

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
ALLOWED = 85_000_000  # bytes
HEIGHT, FRAMES = 2600, 16  # 50 MB each of reference and sample
PROGRAM = """
import json, re, sys, warnings
from pathlib import Path
import shiftfield

def told(name):
    return 1024 * int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

warnings.simplefilter("ignore")
function, given, small, large = json.loads(sys.argv[1])
find = getattr(shiftfield, function)
find(*small, **given)  # imports, and compiles
Path("/proc/self/clear_refs").write_text("5")
before = told("VmRSS")
found = find(*large, **given)
found = found if hasattr(found, "quantities") or isinstance(found, tuple) else (found,)
answer = sum(image.nbytes for image in (found if isinstance(found, tuple) else found.quantities().values()))
print(told("VmHWM") - before - answer)
"""


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Addresses of small and large stacks, in chunks of rows, and in chunks of whole frames."""
    folder = tmp_path_factory.mktemp("stacks")
    small = np.stack(moved((100, 100), (0.6, -0.4), frames=FRAMES))
    pair = np.round(1000 + 200 * small).astype(np.uint16)
    times = (1, 26, 6)
    found: dict[str, list[str]] = {}
    for kind, rows in (("small", 100), ("rows", 50), ("frames", HEIGHT)):
        found[kind] = []
        for name, stack in zip(("r", "s"), pair, strict=True):
            path = folder / f"{kind}-{name}.h5"
            with h5py.File(path, "w") as file:
                data = stack if kind == "small" else np.tile(stack, times)
                file.create_dataset("data", data=data, chunks=(1, rows, data.shape[2]))
            found[kind].append(str(path))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "frames"])
@pytest.mark.parametrize(("function", "given"), [
    ("find_shift_field", {"method": "umpa_dark"}),
    ("find_local_shifts_umpa", {"gpu": False}),
    ("find_local_shifts", {"dim": 2}),
    ("find_local_shifts", {"norm": True, "norm_global": True}),
    ("generate_correlation_map", {}),
], ids=["dark field", "UMPA", "2-D", "norm_global", "map"])  # fmt: skip
def test_the_peak_is_bounded(
    stacks: dict[str, list[str]], kind: str, function: str, given: dict[str, Any]
) -> None:
    bounded = {"margin": 2, "memory": ALLOWED} if "map" not in function else {"gpu": False}
    allowed = ALLOWED if "map" not in function else 14 * 8 * HEIGHT * 600
    arguments = [function, {**given, **bounded}, stacks["small"], stacks[kind]]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 1e6 < float(ran.stdout) <= allowed
