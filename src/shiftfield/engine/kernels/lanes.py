"""Sixteen numbers at a time: a vector type for kernels, and the few operations they need on it.

LLVM splits a vector into what the processor has (one register of AVX-512, two of AVX2, four of NEON), so
kernels are written once, run at the processor's speed without trusting a loop to be vectorised, and compile
fast. An array is taken as flat memory: its last numbers must be followed by padding up to a full vector.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core.cgutils import get_or_insert_function
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model
from numpy.typing import NDArray

WIDTH = 16
_LINE = 64  # bytes of a line of the cache
_ELEMENTS: dict[Any, Any] = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
}


def aligned(shape: int | tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Return an array, not filled, that begins on a line of the cache: lanes of it then cross none."""
    size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(kind).itemsize
    memory = np.empty(size + _LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % _LINE
    found: NDArray[Any] = memory[start : start + size].view(kind).reshape(shape)
    return found


# What an intrinsic returns: its signature, and what emits it.
_Code = tuple[Any, Callable[..., Any]]


def intrinsic(function: Callable[..., _Code]) -> Any:
    """Let kernels call what emits code; Numba's own says that Python calls it, so that types do not fit."""
    return extending.intrinsic(function)


class Lanes(types.Type):
    """Numba's type of sixteen numbers."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")

    @property
    def llvm(self) -> Any:
        """The type LLVM knows it by."""
        return ir.VectorType(_ELEMENTS[self.dtype], WIDTH)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Lanes are held as LLVM holds them."""

    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, lanes.llvm)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), Lanes(kind.dtype).llvm.as_pointer())


@intrinsic
def load(typing: Any, array: Any, index: Any) -> _Code:  # noqa: ARG001 - Numba's protocol
    """Return array[index : index + 16]."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:
        found = builder.load(_pointer(context, builder, called.args[0], *args))
        found.align = array.dtype.bitwidth // 8
        return found

    return Lanes(array.dtype)(array, types.intp), code


@intrinsic
def store(typing: Any, array: Any, index: Any, lanes: Any) -> _Code:  # noqa: ARG001
    """array[index : index + 16] = lanes"""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:
        done = builder.store(args[2], _pointer(context, builder, called.args[0], *args[:2]))
        done.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), code


@intrinsic
def fill(typing: Any, number: Any) -> _Code:  # noqa: ARG001
    """Return sixteen copies of a number."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        kind, zero = Lanes(number).llvm, ir.Constant(ir.IntType(32), 0)
        nothing = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(nothing, args[0], zero)
        every = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(first, nothing, every)

    return Lanes(number)(number), code


@intrinsic
def zeros(typing: Any, array: Any) -> _Code:  # noqa: ARG001
    """Return sixteen zeros of an array's kind."""
    lanes = Lanes(array.dtype)

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        return ir.Constant(lanes.llvm, None)

    return lanes(array), code


def _arithmetic(operation: Any, instruction: str) -> None:
    """Let an operator of Python work on two lanes of one kind; products and sums may fuse."""

    @infer_global(operation)
    class Typed(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:  # noqa: ARG002
            if len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    @lower_builtin(operation, Lanes, Lanes)
    def emit(context: Any, builder: Any, types_: Any, args: Any) -> Any:  # noqa: ARG001
        return getattr(builder, instruction)(*args, flags=("contract",))


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_operation, _instruction)


@intrinsic
def root(typing: Any, lanes: Any) -> _Code:  # noqa: ARG001
    """Return the square roots of sixteen numbers."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        name = f"llvm.sqrt.v{WIDTH}f{lanes.dtype.bitwidth}"
        kind = ir.FunctionType(lanes.llvm, [lanes.llvm])
        return builder.call(get_or_insert_function(builder.module, kind, name), args)

    return lanes(lanes), code


@intrinsic
def where_greater(typing: Any, a: Any, b: Any, then: Any, other: Any) -> _Code:  # noqa: ARG001
    """Return `then` where a > b, `other` elsewhere, NaN included."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[2], args[3])

    return then(a, b, then, other), code


@intrinsic
def sum_of(typing: Any, lanes: Any) -> _Code:  # noqa: ARG001
    """Return the sum of sixteen numbers, halves first."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        total, width = args[0], WIDTH
        while width > 1:
            width //= 2
            low, high = (
                builder.shuffle_vector(
                    total,
                    total,
                    ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(n, n + width))),
                )
                for n in (0, width)
            )
            total = builder.fadd(low, high)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return lanes.dtype(lanes), code


def _slide(by: int) -> Any:
    @intrinsic
    def operation(typing: Any, a: Any, b: Any) -> _Code:  # noqa: ARG001
        def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
            kept = list(range(by, by + WIDTH))
            return builder.shuffle_vector(
                *args, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), kept)
            )

        return a(a, b), code

    return operation


# slide_n(a, b): the last 16 - n numbers of a, then the first n of b.
slide_1, slide_2, slide_3, slide_4, slide_8 = map(_slide, (1, 2, 3, 4, 8))


@intrinsic
def within(typing: Any, lanes: Any, low: Any, high: Any) -> _Code:  # noqa: ARG001
    """Return which of sixteen integers are in [low, high), as the bits of a number."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        inside = builder.and_(
            builder.icmp_signed(">=", args[0], args[1]), builder.icmp_signed("<", args[0], args[2])
        )
        return builder.zext(builder.bitcast(inside, ir.IntType(WIDTH)), ir.IntType(64))

    return types.int64(lanes, lanes, lanes), code


@intrinsic
def lowest_bit(typing: Any, bits: Any) -> _Code:  # noqa: ARG001
    """Return the place of the lowest bit of a number that is not zero."""

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), code


@intrinsic
def convert(typing: Any, lanes: Any, like: Any) -> _Code:  # noqa: ARG001
    """Return sixteen float32 or float64 in the kind of the array `like`."""
    kind = Lanes(like.dtype)

    def code(context: Any, builder: Any, called: Any, args: Any) -> Any:  # noqa: ARG001
        if kind.dtype == lanes.dtype:
            return args[0]
        wider = kind.dtype.bitwidth > lanes.dtype.bitwidth
        return (builder.fpext if wider else builder.fptrunc)(args[0], kind.llvm)

    return kind(lanes, like), code
