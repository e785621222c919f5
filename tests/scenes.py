"""Image pairs of known shift, sources that remember what was read, and comparisons, for the tests of the core.

Truth comes from `shiftfield.synthetic`, a formula evaluated at moved places; no test lives here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.synthetic import speckle

Array = NDArray[Any]


def moved(
    shape: tuple[int, int] = (40, 50),
    shift: tuple[float, float] = (0.6, -1.3),
    *,
    frames: int = 1,
    seed: int = 1,
    sigma: float = 1.5,
) -> tuple[Array, Array]:
    """Return (reference, sample) float32 whose shift is `shift` = (x, y) px everywhere."""
    common: dict[str, Any] = {"frames": frames, "seed": seed, "sigma": sigma}
    return speckle(shape, **common), speckle(shape, shift=shift, **common)


DROWNED = ("gap", "bright half", "ramp")


def drowned(what: str, reference: Array, sample: Array) -> tuple[Array, Array]:
    """Return (K, H, W) stacks in float64 whose texture lies beside something far greater."""
    pair = 1000 * np.stack([reference, sample]).astype(np.float64)
    middle = pair.shape[2] // 2
    if what == "gap":
        pair[:, :, middle - 9 : middle + 9] = 2**32 - 1
    elif what == "bright half":
        pair[:, :, middle:] *= 1e6
    else:
        pair += 1e4 * np.arange(pair.shape[3])
    return pair[0], pair[1]


def silently(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call without warnings: what algotom and NumPy say on the way is not the question."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the answer, or the error that was raised instead."""
    try:
        return silently(function, *args, **kwargs)
    except Exception as error:
        return error


def same_bits(first: Any, second: Any) -> None:
    """Assert that two results (arrays, tuples of arrays or fields) are identical, NaN included."""
    if hasattr(first, "quantities"):
        one, two = first.quantities(), second.quantities()
        assert one.keys() == two.keys()
        first, second = tuple(one.values()), tuple(two.values())
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


class Recording:
    """An array that remembers how many elements each read of it took; it converts to no other array."""

    def __init__(self, data: Array) -> None:
        self._data = data
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.reads: list[int] = []

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> Array:
        part = np.array(self._data[index])
        self.reads.append(part.size)
        return part

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        self.reads.append(self._data.size)
        return np.array(self._data, dtype=dtype)

    @property
    def largest(self) -> float:
        """The largest read as a share of the whole."""
        return max(self.reads) / self._data.size

    @property
    def passes(self) -> float:
        """How many times the whole was read, halos included."""
        return sum(self.reads) / self._data.size
