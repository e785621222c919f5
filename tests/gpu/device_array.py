"""An array as CuPy's: it answers NumPy's functions, but never turns into an array of the host by itself.

Memory of the host behind it. Only what CuPy has too may be asked of it, with arguments that CuPy knows; copies
to the host are counted.
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

try:
    import cupy
except ImportError:  # then CuPy's signatures are not looked at
    cupy = None

_METHODS = (
    "all", "any", "argmax", "argmin", "astype", "copy", "max", "mean", "min", "ravel", "reshape", "sum",
    "transpose",
)  # fmt: skip


class DeviceArray(NDArrayOperatorsMixin):
    """Wraps an array of the host."""

    copied = 0  # bytes that were copied to the host, of all arrays

    def __init__(self, host: np.ndarray[Any, Any]) -> None:
        self._host = host

    device = SimpleNamespace(id=0)
    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: self._host.flags)
    T = property(lambda self: DeviceArray(self._host.T))
    __cuda_array_interface__ = property(lambda self: self._host.__array_interface__)

    def get(self) -> np.ndarray[Any, Any]:
        DeviceArray.copied += self._host.nbytes
        return self._host.copy()

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")  # CuPy's own words

    def __len__(self) -> int:
        return len(self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __int__(self) -> int:
        return int(self._host)

    __index__ = __int__

    def __bool__(self) -> bool:
        return bool(self._host)

    def __iter__(self) -> Any:
        return (self[n] for n in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return wrapped(self._host[unwrapped(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.ndim:
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        self._host[unwrapped(key)] = unwrapped(value)

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        method = getattr(self._host, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if cupy is not None:
                assert hasattr(cupy.ndarray, name)
            assert not {"where", "initial"} & kwargs.keys(), f"CuPy's {name} has no such argument"
            return wrapped(method(*unwrapped(args), **unwrapped(kwargs)))

        return call

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if cupy is not None:
            assert hasattr(cupy, ufunc.__name__), f"CuPy has no {ufunc.__name__}"
        for value in inputs:
            if isinstance(value, np.ndarray) and value.ndim:
                raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        if "out" in kwargs:
            assert all(isinstance(one, DeviceArray) for one in kwargs["out"])
        return wrapped(getattr(ufunc, method)(*unwrapped(inputs), **unwrapped(kwargs)))

    def __array_function__(self, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        if cupy is not None:
            same = getattr(cupy, function.__name__, None)
            assert same is not None, f"CuPy has no {function.__name__}"
            if not isinstance(same, np.ufunc | cupy.ufunc):
                inspect.signature(same).bind(*args, **kwargs)
        return wrapped(function(*unwrapped(args), **unwrapped(kwargs)))


def wrapped(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(wrapped(one) for one in value)
    return DeviceArray(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value


def unwrapped(value: Any) -> Any:
    if isinstance(value, DeviceArray):
        return value._host
    if isinstance(value, tuple | list):
        return type(value)(unwrapped(one) for one in value)
    if isinstance(value, dict):
        return {name: unwrapped(one) for name, one in value.items()}
    return value


def through(module: Any) -> Any:
    """Return a module of SciPy whose functions take and return these arrays."""

    class Through:
        def __getattr__(self, name: str) -> Any:
            function = getattr(module, name)
            return lambda *args, **kwargs: wrapped(function(*unwrapped(args), **unwrapped(kwargs)))

    return Through()
