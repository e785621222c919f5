"""What the kernels do for one pixel and one shift, counted by running their source with numbers that count.

The engine's own files are run as plain Python on a tiny tile; only `lanes`, the sixteen numbers they work on, is
replaced. So the counts follow the kernels, and the answers show that it is these that were counted.
"""

from __future__ import annotations

import importlib
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import kernels
from shiftfield.engine.kernels import lanes, options

_ROOT = "shiftfield.engine.kernels"
_KERNELS = ("products", "window_sums", "scores", "track")
WIDTH = lanes.WIDTH


@dataclass(slots=True)
class Counter:
    """Numbers of lanes: operations (a multiply-add is one), slides, and lanes loaded and stored."""

    operations: int = 0
    slides: int = 0
    loads: int = 0
    stores: int = 0


@dataclass(slots=True)
class Counted:
    """Sixteen numbers that count what is done with them; `product` tells one that an add can still fuse with."""

    numbers: NDArray[Any]
    counter: Counter
    product: bool = False

    def __add__(self, other: Counted) -> Counted:
        return self._with(other, operator.add)

    def __sub__(self, other: Counted) -> Counted:
        return self._with(other, operator.sub)

    def __mul__(self, other: Counted) -> Counted:
        self.counter.operations += 1
        return Counted(self.numbers * other.numbers, self.counter, product=True)

    def _with(self, other: Counted, operation: Callable[[Any, Any], Any]) -> Counted:
        if not (self.product or other.product):
            self.counter.operations += 1
        return Counted(operation(self.numbers, other.numbers), self.counter)


def fake_lanes(counter: Counter) -> ModuleType:
    """Return a module like `lanes` whose numbers count."""

    def load(array: NDArray[Any], index: int) -> Counted:
        counter.loads += 1
        found = array.reshape(-1)[index : index + WIDTH]
        assert found.size == WIDTH, "a kernel reads beyond its array"
        return Counted(found.copy(), counter)

    def store(array: NDArray[Any], index: int, given: Counted) -> None:
        counter.stores += 1
        array.reshape(-1)[index : index + WIDTH] = given.numbers

    def fill(number: Any) -> Counted:
        return Counted(np.full(WIDTH, number), counter)

    def zeros(array: NDArray[Any]) -> Counted:
        return Counted(np.zeros(WIDTH, array.dtype), counter)

    def where_greater(a: Counted, b: Counted, then: Counted, other: Counted) -> Counted:
        counter.operations += 2
        return Counted(np.where(a.numbers > b.numbers, then.numbers, other.numbers), counter)

    def slide(by: int) -> Callable[[Counted, Counted], Counted]:
        def slid(a: Counted, b: Counted) -> Counted:
            counter.slides += 1
            return Counted(np.concatenate([a.numbers, b.numbers])[by : by + WIDTH], counter)

        return slid

    def within(given: Counted, low: Counted, high: Counted) -> int:
        inside = (given.numbers >= low.numbers) & (given.numbers < high.numbers)
        return sum(1 << int(lane) for lane in np.flatnonzero(inside))

    def lowest_bit(bits: int) -> int:
        return (bits & -bits).bit_length() - 1

    module = ModuleType(f"{_ROOT}.lanes")
    slides = {f"slide_{by}": slide(by) for by in (1, 2, 3, 4, 8)}
    plain = {"WIDTH": WIDTH, "aligned": lanes.aligned}
    own = (load, store, fill, zeros, where_greater, within, lowest_bit)
    vars(module).update(plain, **slides, **{each.__name__: each for each in own})
    return module


@contextmanager
def uncompiled(counter: Counter) -> Iterator[ModuleType]:
    """Yield the module `track`, as plain Python on lanes that count."""
    plain = ModuleType(f"{_ROOT}.options")
    vars(plain).update(kernel=_as_it_is, part=_as_it_is)
    names = [f"{_ROOT}.{name}" for name in _KERNELS]
    before = {name: sys.modules.pop(name, None) for name in names}
    kept = {name: getattr(kernels, name, None) for name in (*_KERNELS, "lanes", "options")}
    sys.modules.update({f"{_ROOT}.lanes": fake_lanes(counter), f"{_ROOT}.options": plain})
    try:
        yield importlib.import_module(f"{_ROOT}.track")
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update({name: module for name, module in before.items() if module})
        sys.modules.update({f"{_ROOT}.lanes": lanes, f"{_ROOT}.options": options})
        for name, module in kept.items():
            if module is not None:
                setattr(kernels, name, module)


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
