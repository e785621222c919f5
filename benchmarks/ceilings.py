"""The ceilings of the machine, measured in the same run: multiply-adds, and bytes from each cache.

Kernels are plain Numba loops, as the engine's are; the best of several runs counts, for a ceiling is what is
possible. What our own work needs of it is in `counts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

_RUNS = 5
_SECONDS = 0.05  # of one run
_CHAIN = 16  # multiply-adds between a load and a store
_LINE = 64  # bytes of a cache line
_FALLBACK = {
    1: 32_768,
    2: 1_048_576,
    3: 33_554_432,
}  # bytes of a cache that the system does not tell


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What all cores together can do: 1e9 float32 multiply-adds, and 1e9 bytes, a second; by number of cores.

    `read` and `copy` are keyed by level ("L1", "L2", "L3", "memory"); a copied byte counts twice.
    """

    fma: dict[str, float]
    read: dict[str, dict[str, float]]
    copy: dict[str, dict[str, float]]
    sizes: dict[str, int]


@njit(nogil=True, fastmath={"contract"}, error_model="numpy")
def _multiply_add(a: Any, repeats: int) -> None:
    b, c = np.float32(0.9999), np.float32(1e-4)
    for _ in range(repeats):
        for i in range(a.size):
            x = a[i]
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            x = x * b + c
            a[i] = x


@njit(nogil=True, error_model="numpy")
def _read(a: Any, repeats: int) -> int:
    total = np.int32(0)
    for r in range(repeats):
        some = np.int32(0)
        part = a.size // 8  # eight places at once: with one, the loop's own work is the limit
        b, c, d, e = a[part:], a[2 * part :], a[3 * part :], a[4 * part :]
        f, g, h = a[5 * part :], a[6 * part :], a[7 * part :]
        for i in range(part):  # whole numbers: a float32 maximum or sum is not turned into SIMD
            one = (a[i] | b[i]) | (c[i] | d[i])
            two = (e[i] | f[i]) | (g[i] | h[i])
            some |= one | two
        a[r % a.size] = some  # or one pass would do for all
        total ^= some
    return int(total)


@njit(nogil=True, error_model="numpy")
def _copy(a: Any, b: Any, repeats: int) -> None:
    for r in range(repeats):
        for i in range(a.size):
            b[i] = a[i]
        a[r % a.size] = b[0]


def measure(cores: int, quick: bool = False) -> Ceilings:
    """Return the ceilings for one core and for `cores`."""
    sizes = cache_sizes()
    counts = sorted({1, cores})
    within = {
        "L1": sizes["L1"] // 2,
        "L2": sizes["L2"] // 2,
        "L3": sizes["L3"] // 2 // cores,
        "memory": min(4 * sizes["L3"], 256_000_000),
    }
    if quick:
        within = {level: within[level] for level in ("L1", "L2")}
    read = {level: _reads(size, counts) for level, size in within.items()}
    copy = {level: _copies(size, counts) for level, size in within.items()}
    return Ceilings(_multiply_adds(sizes["L1"] // 4, counts), read, copy, sizes)


def cache_sizes() -> dict[str, int]:
    """Return the data caches' sizes, bytes, as Linux tells them, else common ones."""
    sizes = dict(_FALLBACK)
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (folder / "type").read_text().strip() != "Instruction":
            text = (folder / "size").read_text().strip()
            factor = {"K": 1024, "M": 1024**2}.get(text[-1], 1)
            sizes[int((folder / "level").read_text())] = int(text.rstrip("KM")) * factor
    return {f"L{level}": sizes[level] for level in (1, 2, 3)}


def _multiply_adds(size: int, counts: list[int]) -> dict[str, float]:
    def call(repeats: int) -> Callable[[], Any]:
        a = _aligned(size // 4, np.float32)
        return lambda: _multiply_add(a, repeats)

    return {str(n): _rate(call, size // 4 * _CHAIN, n) / 1e9 for n in counts}


def _reads(size: int, counts: list[int]) -> dict[str, float]:
    def call(repeats: int) -> Callable[[], Any]:
        a = _aligned(size // 4, np.int32)
        return lambda: _read(a, repeats)

    return {str(n): _rate(call, size, n) / 1e9 for n in counts}


def _copies(size: int, counts: list[int]) -> dict[str, float]:
    def call(repeats: int) -> Callable[[], Any]:
        a, b = _aligned(size // 8, np.float32), _aligned(size // 8, np.float32)
        return lambda: _copy(a, b, repeats)

    return {str(n): _rate(call, size, n) / 1e9 for n in counts}


def _aligned(count: int, kind: Any) -> Any:
    """Return ones that begin on a cache line: without it the figures change from run to run."""
    room = np.ones(count + _LINE // 4, kind)
    start = -room.ctypes.data % _LINE // 4
    return room[start : start + count]


def _rate(call: Callable[[int], Callable[[], Any]], work: int, threads: int) -> float:
    """Return how much work a second `threads` threads do together, each on arrays of its own."""
    call(1)()
    repeats = max(1, int(_SECONDS / _seconds([call(1)])))
    repeats = max(1, int(repeats * _SECONDS / _seconds([call(repeats)])))
    calls = [call(repeats) for _ in range(threads)]
    best = min(_seconds(calls) for _ in range(_RUNS))
    return work * repeats * threads / best


def _seconds(calls: list[Callable[[], Any]]) -> float:
    if len(calls) == 1:
        started = time.perf_counter()
        calls[0]()
        return time.perf_counter() - started
    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(time.sleep, [0.01] * len(calls)))  # all threads are up
        started = time.perf_counter()
        for future in [pool.submit(call) for call in calls]:
            future.result()
        return time.perf_counter() - started
