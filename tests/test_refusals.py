"""Bad input of every function gets one sentence before any work: what was given, and what is allowed."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import shiftfield
from shiftfield.synthetic import speckle

IMAGE = speckle((40, 50), seed=1)
STACK = speckle((40, 50), frames=3, seed=1)
LOCAL, UMPA = shiftfield.find_local_shifts, shiftfield.find_local_shifts_umpa
GLOBAL = shiftfield.find_global_shift_based_local_shifts
FIELD = shiftfield.find_shift_field
MAP, ONE = shiftfield.generate_correlation_map, shiftfield.find_shift_based_correlation_map
PEAK, NORMALIZE = shiftfield.locate_peak, shiftfield.normalize_image

# function, positional arguments, keywords, words of the message: the value given, and the rule
BAD: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
    (NORMALIZE, (np.ones(5),), {}, r"shape \(5,\); it must be 2-D"),
    (NORMALIZE, (np.ones((4, 5)),), {}, r"All pixels of the image are 1; it must not be constant"),
    (NORMALIZE, (IMAGE * (np.arange(50) != 7),), {}, r"Column 7 of the image sums to zero"),
    (NORMALIZE, (IMAGE * (np.arange(40) != 3)[:, None],), {}, r"Row 3 of the image sums to zero"),
    (NORMALIZE, (np.ones((2, 4, 5)),), {}, r"must have some texture"),
    (NORMALIZE, (IMAGE.astype(complex),), {}, r"dtype complex128; it must hold real numbers"),
    (NORMALIZE, ([["a", "b"]],), {}, r"must hold real numbers"),
    (MAP, (IMAGE[:20], IMAGE), {}, r"must not be larger"),
    (MAP, (IMAGE, STACK), {}, r"2-D, or 3-D with the same number of frames"),
    (MAP, (STACK, STACK[:2]), {}, r"the same number of frames"),
    (MAP, (np.ones(5), np.ones(5)), {}, r"it must be 2-D"),
    (MAP, (IMAGE, IMAGE), {"block": (0, 16)}, r"block is \(0, 16\); .* two positive"),
    (MAP, (IMAGE, IMAGE), {"block": 16}, r"block is 16; .* two positive"),
    (MAP, (IMAGE, IMAGE), {"gpu": 0}, r"gpu is 0; allowed are False, True and 'hybrid'"),
    (MAP, (IMAGE, IMAGE), {"gpu": "foo"}, r"gpu is 'foo'; allowed"),
    (PEAK, (STACK,), {}, r"it must be 2-D"),
    (PEAK, (np.empty((0, 3)),), {}, r"not empty"),
    (PEAK, (IMAGE,), {"method": "gauss"}, r"method is 'gauss'; allowed are 'diff' and 'poly_fit'"),
    (PEAK, (IMAGE,), {"method": np.array(["diff", "poly_fit"])}, r"method is array\(.*; allowed are"),
    (PEAK, (IMAGE,), {"dim": 3}, r"dim is 3; allowed are 1 and 2"),
    (PEAK, (IMAGE,), {"size": "big"}, r"size is 'big'; it must be a whole number"),
    (ONE, (IMAGE, IMAGE), {"margin": 0}, r"margin is 0; it must be a whole number of at least 1"),
    (ONE, (IMAGE, IMAGE), {"margin": 20}, r"margin of 20 px along each searched axis"),
    (ONE, (IMAGE, IMAGE[5:-5]), {"margin": 5}, r"10 x 0 px larger .* at least 10 x 10 px"),
    (ONE, (IMAGE, IMAGE), {"axis": 2}, r"axis is 2; allowed are None, 0 \(rows\) and 1"),
    (ONE, (IMAGE, IMAGE), {"method": "x"}, r"method is 'x'"),
    (LOCAL, (IMAGE, IMAGE[1:]), {}, r"shape \(40, 50\) and the sample \(39, 50\)"),
    (LOCAL, (IMAGE, STACK), {}, r"they must be the same"),
    (LOCAL, (IMAGE, IMAGE), {"margin": 0}, r"margin is 0"),
    (LOCAL, (IMAGE, IMAGE), {"margin": 2.5}, r"margin is 2.5; it must be a whole number"),
    (LOCAL, (IMAGE, IMAGE), {"win_size": 0}, r"win_size is 0"),
    (LOCAL, (IMAGE, IMAGE), {"win_size": 40}, r"40 x 50 px; a window of 41 x 41 px"),
    (LOCAL, (IMAGE, IMAGE), {"dim": 3}, r"dim is 3"),
    (LOCAL, (IMAGE, IMAGE), {"method": "fit"}, r"method is 'fit'"),
    (LOCAL, (IMAGE, IMAGE), {"ncore": 0}, r"ncore is 0"),
    (LOCAL, (IMAGE, IMAGE), {"chunk_size": 0}, r"chunk_size is 0; .* at least 1"),
    (LOCAL, (IMAGE, IMAGE), {"gpu": None}, r"gpu is None"),
    (LOCAL, (IMAGE, IMAGE), {"block": (16,)}, r"block is \(16,\)"),
    (LOCAL, (IMAGE, IMAGE), {"device": "tpu"}, r"device is 'tpu'; allowed"),
    (UMPA, (IMAGE, IMAGE), {"gpu": False}, r"UMPA needs stacks"),
    (UMPA, (STACK, STACK), {"filter_name": "gauss"}, r"filter_name is 'gauss'; allowed are 'hann'"),
    (UMPA, (STACK, STACK[:, 1:]), {}, r"they must be the same"),
    (UMPA, (STACK, STACK), {"margin": 17}, r"needs at least 41 x 41 px"),
    (GLOBAL, (STACK, STACK, 7, 3), {}, r"it must be 2-D"),
    (GLOBAL, (IMAGE, IMAGE, 31, 9), {}, r"needs at least 49 x 49 px"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"global_value": "mode"}, r"global_value is 'mode'; allowed"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"num_point": 0}, r"num_point is 0"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": [1, 2, 3]}, r"list_ij must be \[i, j\]"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": [[9, 9], [9]]}, r"2 rows and 1 columns"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": [0, 0]}, r"None of the 1 points lies inside"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"method": "fit"}, r"method is 'fit'"),
    (GLOBAL, (IMAGE, np.ones_like(IMAGE), 7, 3), {}, r"None of the 30 points has an answer"),
    (FIELD, (IMAGE, IMAGE), {"method": "ncc"}, r"method is 'ncc'; allowed are 'pearson'"),
    (FIELD, (IMAGE, IMAGE), {"search": "3d"}, r"search is '3d'"),
    (FIELD, (STACK, STACK), {"search": "1d", "method": "umpa"}, r"only defined for 'pearson'"),
    (FIELD, (IMAGE, IMAGE), {"step": 0}, r"step is 0"),
    (FIELD, (IMAGE, IMAGE), {"weight": "box"}, r"weight is 'box'; allowed are None, 'hann'"),
    (FIELD, (IMAGE, IMAGE), {"peak": "gauss"}, r"peak is 'gauss'"),
    (FIELD, (IMAGE, IMAGE), {"memory": "lots"}, r"memory is 'lots'; .* such as '2 GB'"),
    (FIELD, (IMAGE, IMAGE), {"memory": -1}, r"memory is -1"),
    (FIELD, (IMAGE, IMAGE), {"window": True}, r"window is True"),
    (FIELD, (IMAGE, IMAGE), {"window": np.nan}, r"window is nan"),
    (FIELD, (np.empty((0, 5)), np.empty((0, 5))), {}, r"must not be empty"),
    (FIELD, (IMAGE, IMAGE), {"memory": "9" * 400 + " TB"}, r"such as '2 GB'"),
    (FIELD, (IMAGE, IMAGE), {"cancel": 3}, r"cancel is 3; it must be callable"),
    (FIELD, (IMAGE, IMAGE), {"progress": "bar"}, r"progress is 'bar'; it must be callable"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"cancel": 3}, r"cancel is 3; it must be callable"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": [np.inf, 20]}, r"of whole numbers .* \[inf, 20\] was given"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": np.array(5)}, r"array\(5\) was given"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"list_ij": [[1, [2]], [3, 4]]}, r"list_ij is a list that makes no array"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"rng": "abc"}, r"rng is 'abc'; it must be a seed"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"rng": -1}, r"rng is -1; it must be a seed"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"block": 0}, r"block is 0; it must be a positive whole number, or two"),
    (NORMALIZE, ([[np.nan, 1, 1], [1, 1, 1]],), {}, r"All pixels of the image are 1"),
    (NORMALIZE, ([[1, 2], [3]],), {}, r"is a list that makes no array; .* of one length"),
    (MAP, ([[1, 2], [3]], IMAGE), {}, r"The reference is a list that makes no array"),
    (PEAK, ([[1, 2], [3]],), {}, r"The map is a list that makes no array"),
    (PEAK, (IMAGE,), {"size": None}, r"size is None; it must be a whole number\."),
    (FIELD, (STACK[None], STACK[None]), {}, r"it must be 2-D"),
    (UMPA, (STACK, STACK), {"dark_signal": "off"}, r"dark_signal is 'off'; allowed are True and False"),
    (LOCAL, (STACK, STACK), {"norm": "False"}, r"norm is 'False'; allowed are True and False"),
    (LOCAL, (STACK, STACK), {"norm_global": 2}, r"norm_global is 2; allowed are True and False"),
    (LOCAL, (STACK, STACK), {"norm_global": None}, r"norm_global is None; allowed are True and False"),
    (LOCAL, (STACK, STACK), {"dim": np.arange(3)}, r"dim is array\(\[0, 1, 2\]\); allowed are 1 and 2"),
    (LOCAL, (STACK, STACK), {"dim": np.True_}, r"dim is (np\.)?True_?; allowed are 1 and 2"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"norm": "no"}, r"norm is 'no'; allowed are True and False"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"return_list": IMAGE}, r"return_list is array\(.*\.\.\.; allowed are"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"sub_pixel": "x"}, r"sub_pixel is 'x'; allowed are True and False"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"method": IMAGE}, r"method is array\(.*\.\.\.; allowed are 'diff'"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"global_value": IMAGE}, r"global_value is array\(.*; allowed are 'mixed'"),
    (GLOBAL, (IMAGE, IMAGE, 7, 3), {"num_point": 10**30}, r"num_point is 1000.* at most 1000000"),
    (PEAK, (IMAGE, "poly_fit"), {}, r"sub_pixel is 'poly_fit'; allowed are True and False"),
    (PEAK, (IMAGE,), {"max_peak": "min"}, r"max_peak is 'min'; allowed are True and False"),
    (PEAK, (IMAGE,), {"dim": np.True_}, r"dim is (np\.)?True_?; allowed are 1 and 2"),
    (ONE, (IMAGE, IMAGE), {"sub_pixel": "diff"}, r"sub_pixel is 'diff'; allowed are True and False"),
    (ONE, (IMAGE, IMAGE), {"axis": np.arange(2)}, r"axis is array\(\[0, 1\]\); allowed are None, 0 \(rows\)"),
    (ONE, (IMAGE, IMAGE), {"axis": np.True_}, r"axis is (np\.)?True_?; allowed are None, 0 \(rows\) and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "keywords", "words"), BAD)
def test_bad_input_gets_a_sentence(
    function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        function(*arguments, **keywords)
    text = str(refusal.value)
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("on", [True, 1, np.True_, np.int64(1)])
def test_switches_are_also_numpys_and_numbers(on: Any) -> None:
    assert PEAK(IMAGE, on, max_peak=on) == PEAK(IMAGE)
    assert PEAK(IMAGE, type(on)(0)) == PEAK(IMAGE, False)
    assert PEAK(IMAGE, dim=np.int64(1)) == PEAK(IMAGE, dim=1)


def test_a_window_without_end_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        for images in (IMAGE, STACK):
            for window in (10**8 + 1, 10**30):
                with pytest.raises(ValueError, match=r"The images are 40 x 50 px; a window of"):
                    FIELD(images, images, window=window)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore:.* have no answer")
def test_what_only_longer_floats_hold_is_infinite() -> None:
    long = np.ma.masked_less(IMAGE.astype(np.longdouble), 0)
    long[3, 3] = np.longdouble("1e400")
    for image in (long, long.data):
        LOCAL(image, IMAGE, norm=False)
        FIELD(image, IMAGE)
        PEAK(image)
        shiftfield.warp(image, FIELD(IMAGE, IMAGE))


def test_a_refusal_comes_before_any_pixel_is_read() -> None:
    class Unreadable:
        shape, dtype, ndim = (3, 40, 50), np.dtype("float32"), 3

        def __getitem__(self, index: Any) -> Any:
            raise AssertionError(f"{index} was read")

    with pytest.raises(ValueError, match="needs at least"):
        LOCAL(Unreadable(), Unreadable(), margin=30)
    with pytest.raises(ValueError, match="filter_name"):
        UMPA(Unreadable(), Unreadable(), filter_name="none", dark_signal=True)
    with pytest.raises(ValueError, match="memory"):
        FIELD(Unreadable(), Unreadable(), method="umpa_dark", memory="1 kB")
