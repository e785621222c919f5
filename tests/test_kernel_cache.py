"""Compiled kernels are kept for later processes, and what is broken there costs time, never an answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = """
import numpy as np, shiftfield
from shiftfield.engine.kernels import track
pixels = np.random.default_rng(0).random((40, 40))
field = shiftfield.find_shift_field(pixels, pixels, margin=3)
print(abs(field.x[field.valid]).max(), field.valid.sum(), sum(track.try_shifts.stats.cache_hits.values()))
"""


def search(cache: Path) -> tuple[str, int]:
    """Search in a new process with this cache folder; return what was found and how many kernels were kept."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEARCH],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        check=True,
        capture_output=True,
        text=True,
    )
    *found, hits = done.stdout.split()
    return " ".join(found), int(hits)


@pytest.mark.slow
def test_a_broken_cache_is_ignored_and_mended(tmp_path: Path) -> None:
    """Empty, kept, cut off or overwritten: the same answer; and what was broken is kept anew."""
    first, hits = search(tmp_path)
    assert hits == 0
    assert search(tmp_path) == (first, 1)
    for ending in ("nbi", "nbc"):
        broken = list(tmp_path.rglob(f"*.{ending}"))
        assert broken
        for n, path in enumerate(broken):
            path.write_bytes(path.read_bytes()[:20] if n % 2 else b"nothing of the kind")
        assert search(tmp_path)[0] == first
        assert search(tmp_path) == (first, 1)


@pytest.mark.slow
def test_warm_up_leaves_nothing_to_compile(tmp_path: Path) -> None:
    """After it, searches of every kind find all kernels compiled, though nothing was kept before."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WARM],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["0"]


WARM = """
import warnings
import numpy as np, shiftfield
from numba.core import event
shiftfield.warm_up()
warnings.simplefilter("ignore")
stack = np.random.default_rng(0).random((3, 50, 60))
stack[0, 20, 20] = np.nan
with event.install_recorder("numba:compile") as seen:
    for method in ("pearson", "umpa", "umpa_dark"):
        for pixels in (stack, stack.astype("f4"), stack + 1e5 * np.arange(60)):
            weight = None if method == "pearson" else "hamming"
            shiftfield.find_shift_field(pixels, pixels, method=method, weight=weight, margin=3)
    shiftfield.find_shift_field(stack, stack, search="1d", peak="poly_fit", peak_size=5)
    shiftfield.find_local_shifts(stack[1], stack[2], margin=3)
print(len(seen.buffer))
"""
