"""`python -m benchmarks.scans`: its parts run on small data and judge; no time is judged here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import scans

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")


@pytest.mark.slow
def test_memory_and_reads_are_measured(tmp_path: Path) -> None:
    rows = list(scans._memory(tmp_path, quick=True))
    peaks = [row for row in rows if "peak" in row.name]
    reads = [row for row in rows if row.name.endswith("read")]
    assert len(peaks) == len(reads) == len(scans._CALLS)
    assert all(row.reached for row in (*peaks, *reads)), rows
    assert all(row.value and row.value > 0.99 for row in reads), "every byte is read"


def test_a_generated_scan_is_what_it_says() -> None:
    made = scans.Generated(3, 400, 0.01)
    assert made.shape == (10, 3, 400, 400)
    whole = made[4]
    np.testing.assert_array_equal(made[4, 1:3, 350:, 10:20], whole[1:3, 350:, 10:20])
    np.testing.assert_array_equal(made[1], made[4])
    assert not np.array_equal(made[0], made[1])
