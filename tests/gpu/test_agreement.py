"""The kernels find what the CPU engine and the specification find, on the CPU and on every real device."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np
import pytest
from emulated import Emulated
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scenes import DROWNED, drowned, moved, same_bits

from shiftfield import samples
from shiftfield.dense.plans import search_of
from shiftfield.engine import Answer, Backend, Block, Search, Stop, Tile, backend
from shiftfield.engine.gpu.device import Device
from shiftfield.engine.gpu.layout import refusal
from shiftfield.engine.gpu.worker import Worker
from shiftfield.settings import METHODS, WEIGHTS, Settings

Frames = NDArray[Any]
AGREED = 1e-4  # px, and of a score
SHARE = 0.999  # of the pixels


def search_for(reference: Frames, axis: str = "both", **chosen: Any) -> Search:
    level = float(np.mean(reference, where=np.isfinite(reference)))
    return replace(search_of(Settings(**chosen), reference.shape[0], axis), reference_mean=level)


def block_of(reference: Frames, sample: Frames, search: Search) -> tuple[Tile, Block]:
    """Everything inside the borders as one tile."""
    (ey, ex), (my, mx), (_, height, width) = search.edge, search.margin, reference.shape
    inner = sample[:, my : height - my, mx : width - mx]
    return Tile(ey, height - ey, ex, width - ex), Block(reference, inner, reference, inner)


def by_device(device: Device, reference: Frames, sample: Frames, search: Search) -> Answer:
    tile, block = block_of(reference, sample, search)
    worker = Worker(device, search, reference.dtype, reference.dtype, Stop())
    try:
        return worker.finish(worker.begin(tile, block)).copy()
    finally:
        worker.close()


def by(engine: Backend, reference: Frames, sample: Frames, search: Search) -> Answer:
    tile, block = block_of(reference, sample, search)
    return engine.run(search, tile, block, Stop())


def check(found: Answer, expected: Answer, share: float = SHARE) -> None:
    """Answers are where they should be, and all but a few are as they should be."""
    for field in fields(Answer):
        one, two = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(np.isnan(one), np.isnan(two), err_msg=field.name)
        far = np.abs(one - two)[np.isfinite(two)] > AGREED
        assert np.count_nonzero(far) <= (1 - share) * far.size, (
            f"{np.count_nonzero(far)} of {far.size} in {field.name}"
        )


REF, SAM = moved((44, 52), (1.3, -0.7), frames=3)
SEARCHES: dict[str, dict[str, Any]] = {
    "pair": {"frames": 1},
    "stack": {},
    "along x": {"axis": "x", "margin": 5},
    "along y": {"axis": "y", "margin": 5},
    "along y, every third": {"axis": "y", "step": 3},
    "every third pixel": {"step": 3},
    "poly_fit 3": {"peak": "poly_fit"},
    "poly_fit 7": {"peak": "poly_fit", "peak_size": 7, "margin": 4},
    "poly_fit 9 in 7": {"peak": "poly_fit", "peak_size": 9},
    "window 5": {"window": 5},
    "window 9": {"window": 9},
    "window 13": {"window": 13, "margin": 2},
    "one shift more than a run": {"margin": 4, "frames": 1},
    **{
        f"{m} {w}": {"method": m, "weight": w} for m in METHODS for w in (None, "hamming", "parzen")
    },
    **{
        f"dark {w}": {"method": "umpa_dark", "weight": w}
        for w in WEIGHTS
        if w not in ("hamming", "parzen")
    },
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_device_agrees_with_the_cpu(name: str, device: Device) -> None:
    chosen = {"margin": 3} | SEARCHES[name]
    frames = chosen.pop("frames", 3)
    reference, sample = REF[:frames], SAM[:frames]
    search = search_for(reference, **chosen)
    check(
        by_device(device, reference, sample, search), by(backend("cpu"), reference, sample, search)
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_device_agrees_with_the_specification(method: str, device: Device) -> None:
    search = search_for(REF, method=method, margin=2, window=5)
    check(by_device(device, REF, SAM, search), by(backend("reference"), REF, SAM, search))


@pytest.mark.parametrize(
    ("window", "axis"), [(67, "x"), (97, "x"), (193, "x"), (67, "y"), (301, "y"), (65, "both")]
)
def test_wide_windows(window: int, axis: str, device: Device) -> None:
    """Eight columns a lane beyond 65 px; windows taller than 64 rows make taller tiles."""
    across = 70 if axis == "both" else 12
    size = (across, window + 12) if axis == "x" else (window + 12, across)
    pair = moved(size, (1.2, 0.0) if axis == "x" else (0.0, 1.2))
    reference, sample = (image[None] for image in pair)
    search = search_for(reference, axis, window=window, margin=2)
    if refusal(search):
        assert window == 301
        return
    check(
        by_device(device, reference, sample, search), by(backend("cpu"), reference, sample, search)
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_has_no_answer_has_none(method: str, device: Device) -> None:
    """Pixels that are no numbers, and windows that are constant, on either side."""
    reference, sample = REF.copy(), SAM.copy()
    reference[1, 20, 30], sample[0, 30, 10] = np.nan, np.inf
    sample[:, 10:25, 35:48], reference[:, 28:40, 20:30] = 3, 1
    search = search_for(reference, method=method, margin=2, window=5)
    found = by_device(device, reference, sample, search)
    assert 0.1 < np.isnan(found.x).mean() < 0.9
    check(found, by(backend("cpu"), reference, sample, search), share=0.995)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_pixels_are_read_with_the_dtype_they_have(kind: type[Any], device: Device) -> None:
    reference, sample = ((stack * 40 + 60).astype(kind) for stack in (REF, SAM))
    search = search_for(reference, method="umpa_dark", margin=2)
    check(
        by_device(device, reference, sample, search), by(backend("cpu"), reference, sample, search)
    )


@pytest.mark.parametrize(("offset", "hot"), [(30000, 0), (1e6, 0), (0, 1e7)])
def test_little_texture_is_searched_in_double(offset: float, hot: float, device: Device) -> None:
    """1 % contrast on a large offset, and one hot pixel; the specification is float64 throughout."""
    reference, sample = (offset + stack.astype(np.float64) for stack in (REF, SAM))
    if hot:
        reference[0, 22, 22] = hot
    search = search_for(reference, margin=2)
    check(
        by_device(device, reference, sample, search),
        by(backend("reference"), reference, sample, search),
        share=0.99,
    )


@pytest.mark.parametrize("what", DROWNED)
@pytest.mark.parametrize("method", METHODS)
def test_texture_beside_something_far_greater(method: str, what: str, device: Device) -> None:
    """A detector's gap, a half that is a million times brighter, a steep ramp; no window on an edge."""
    reference, sample = drowned(what, *moved((80, 44), (1.3, -0.7), frames=3))
    search = search_for(reference, method=method, margin=2, window=5)
    found, expected = (
        some_rows(answer, np.r_[:22, 50:72])
        for answer in (by_device(device, reference, sample, search),
                       by(backend("reference"), reference, sample, search))
    )  # fmt: skip
    check(found, expected, share=0.99)


def test_a_fitted_peak_on_a_constant_reference_window_is_an_answer(device: Device) -> None:
    reference, sample = moved((25, 25), (0.6, 0.4), frames=2, seed=173)
    reference[:, 13:20, 5:12] = 1
    search = search_for(reference, window=5, margin=2, method="umpa", peak="poly_fit", peak_size=5)
    found = by_device(device, reference, sample, search)
    assert np.isfinite(found.x[9, 2])
    check(found, by(backend("cpu"), reference, sample, search), share=0.99)


def some_rows(answer: Answer, rows: NDArray[np.intp]) -> Answer:
    """Return some of the rows of an answer."""
    return Answer(*(getattr(answer, field.name)[rows] for field in fields(Answer)))


@pytest.mark.parametrize("pair", ["cylinder flow", "tensile test"])
def test_real_pairs(pair: str, device: Device) -> None:
    stack = (
        np.stack(samples.cylinder_flow()) if pair == "cylinder flow" else samples.tensile_test()[:2]
    )
    reference, sample = stack[:, None, 230:330, 300:420]
    search = search_for(reference, margin=4, window=11)
    check(
        by_device(device, reference, sample, search), by(backend("cpu"), reference, sample, search)
    )


@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_search(data: st.DataObject) -> None:
    """Sizes, methods and steps at random."""
    pick = data.draw
    window, margin = pick(st.sampled_from([3, 5, 7, 9])), pick(st.integers(1, 4))
    axis = pick(st.sampled_from(["both", "x", "y"]))
    method = "pearson" if axis != "both" else pick(st.sampled_from(list(METHODS)))
    least = window + 2 * margin
    height, width = pick(st.integers(least, least + 20)), pick(st.integers(least, least + 20))
    frames = pick(st.integers(2, 4))
    search_settings = {
        "window": window, "margin": margin, "method": method, "step": pick(st.integers(1, 4)),
        "weight": pick(st.sampled_from([None, "hann", "triang"])),
    }  # fmt: skip
    if search_settings["weight"] and window == 3:
        search_settings["weight"] = None  # hann and triang of 3 px leave one pixel with any weight
    reference, sample = moved(
        (height, width), (0.8, 0.6), frames=frames, seed=pick(st.integers(0, 99))
    )
    search = search_for(reference, axis, **search_settings)
    found = by_device(
        Emulated(shared_limit=pick(st.sampled_from([24_000, 49_152, 200_000]))),
        reference,
        sample,
        search,
    )
    check(found, by(backend("cpu"), reference, sample, search), share=0.98)


def test_the_answer_does_not_depend_on_the_blocks_of_threads() -> None:
    reference, sample = REF[:1], SAM[:1]
    search = search_for(reference, margin=3, method="umpa", weight="hamming")
    tile, block = block_of(reference, sample, search)
    found = []
    for threads in (32, 64, 256):
        worker = Worker(Emulated(), search, "float32", "float32", Stop(), threads=threads)
        found.append(astuple(worker.finish(worker.begin(tile, block)).copy()))
        worker.close()
    same_bits(found[0], found[1])
    same_bits(found[0], found[2])
