"""Passes over flat vectors: a tile is stored as one vector whose rows have a common pitch.

So a shift is an offset, and every pass is one long loop that the compiler turns into SIMD. Measured:
2-D loops over rows of 128 px spent half their time on call and aliasing checks.
"""

from __future__ import annotations

from typing import Any

from shiftfield.engine.kernels.options import kernel


@kernel
def copy(out: Any, a: Any) -> None:
    """out = a"""
    for i in range(out.size):
        out[i] = a[i]


@kernel
def add(out: Any, a: Any, b: Any) -> None:
    """out = a + b"""
    for i in range(out.size):
        out[i] = a[i] + b[i]


@kernel
def add_to(out: Any, a: Any) -> None:
    """out += a"""
    for i in range(out.size):
        out[i] += a[i]


@kernel
def scale(out: Any, a: Any, factor: Any) -> None:
    """out = factor * a"""
    for i in range(out.size):
        out[i] = factor * a[i]


@kernel
def scale_to(out: Any, a: Any, factor: Any) -> None:
    """out += factor * a"""
    for i in range(out.size):
        out[i] += factor * a[i]


@kernel
def multiply(out: Any, a: Any, b: Any) -> None:
    """out = a * b"""
    for i in range(out.size):
        out[i] = a[i] * b[i]


@kernel
def multiply_to(out: Any, a: Any, b: Any) -> None:
    """out += a * b"""
    for i in range(out.size):
        out[i] += a[i] * b[i]


@kernel
def multiply_four_to(
    out: Any, a0: Any, b0: Any, a1: Any, b1: Any, a2: Any, b2: Any, a3: Any, b3: Any
) -> None:
    """out += a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3, one load and store of out for four frames."""
    for i in range(out.size):
        out[i] += (a0[i] * b0[i] + a1[i] * b1[i]) + (a2[i] * b2[i] + a3[i] * b3[i])


@kernel
def frame_products(reference: Any, sample: Any, offset: int, out: Any) -> None:
    """out = sum over frames of reference shifted by `offset`, times sample."""
    n = out.size
    end = offset + n
    frames = reference.shape[0]
    multiply(out, reference[0, offset:end], sample[0, :n])
    k = 1
    while k + 4 <= frames:
        multiply_four_to(
            out,
            reference[k, offset:end], sample[k, :n],
            reference[k + 1, offset:end], sample[k + 1, :n],
            reference[k + 2, offset:end], sample[k + 2, :n],
            reference[k + 3, offset:end], sample[k + 3, :n],
        )  # fmt: skip
        k += 4
    while k < frames:
        multiply_to(out, reference[k, offset:end], sample[k, :n])
        k += 1
