"""How much the kernels do for a pixel and a shift may not grow unseen: counted by running their source.

Nothing is timed. A change that makes the loops do more must raise a limit here, and say why.
"""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.cases import Job
from benchmarks.counting import Counter, uncompiled
from benchmarks.counts import count, counts

UMPA = Job(frames=5, method="umpa", weight="hamming")
DARK = Job(frames=5, method="umpa_dark", weight="hamming")


@pytest.mark.parametrize(
    ("job", "operations", "slides", "l1_bytes"),
    [
        (Job(), 15, 8, 41),
        (Job(frames=5), 21, 11, 62),
        (Job(frames=20), 36, 22, 113),
        (Job(frames=5, search="1d"), 21, 11, 62),
        (Job(frames=20, window=21), 41, 25, 143),
        (UMPA, 30, 4, 116),
        (DARK, 30, 4, 108),
    ],
    ids=lambda value: f"{value.method} {value.frames} {value.search}" if isinstance(value, Job) else "",
)  # fmt: skip
def test_a_pixel_and_a_shift_cost_no_more_than_they_did(
    job: Job, operations: float, slides: float, l1_bytes: float
) -> None:
    found = counts(job)
    assert found.operations <= operations
    assert found.slides <= slides
    assert found.l1_bytes <= l1_bytes


def test_the_cost_hardly_depends_on_the_window() -> None:
    small, large = counts(Job(frames=20)), counts(Job(frames=20, window=21))
    assert large.operations < 1.3 * small.operations
    assert counts(Job(window=61)).operations < 1.7 * counts(Job()).operations


@pytest.mark.parametrize("job", [Job(), Job(frames=3), UMPA, DARK])
def test_what_is_counted_is_what_runs(job: Job) -> None:
    """The kernels' source on numbers that count finds what the compiled kernels find."""
    counter, plain, compiled = count(job, rows=3)
    assert counter.operations > 0
    assert np.isfinite(compiled.x).all()
    np.testing.assert_allclose(plain.x, compiled.x, atol=1e-4)
    np.testing.assert_allclose(plain.score, compiled.score, atol=1e-4)


def test_counting_leaves_the_engine_compiled() -> None:
    from shiftfield.engine.kernels import track

    with uncompiled(Counter()) as plain:
        assert plain is not track
        assert not hasattr(plain.try_shifts, "signatures")
    assert hasattr(track.try_shifts, "signatures")
