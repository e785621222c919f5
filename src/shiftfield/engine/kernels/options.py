"""How every kernel is compiled, and where the compiled code is kept; no kernel lives here.

Numba looks only at a kernel's own file to see whether its cache is stale, but a kernel contains those
it calls. So the cache's folder is named after the contents of all kernel files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core.caching import FunctionCache

config: Any = numba.config

# `contract` lets a multiply and an add fuse; nothing reorders sums, and NaN keeps its meaning.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


class KernelCache(FunctionCache):
    """Numba's cache of one kernel, where a file that is broken or cannot be written costs only time."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was kept, or None; broken files are thrown away."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            with suppress(Exception):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel if that is possible."""
        with suppress(Exception):
            super().save_overload(sig, data)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that Python calls, at its first call, and keep the result where that is possible."""
    compiled: Any = njit(**_OPTIONS)(function)
    folder = cache_folder()
    if folder is not None:
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            compiled._cache = KernelCache(function)
        except (OSError, RuntimeError):  # no place that Numba accepts
            pass
        finally:
            config.CACHE_DIR = before
    return compiled  # type: ignore[no-any-return]


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call, as a part of them: nothing is kept of it alone."""
    compiler: Any = njit
    compiled: Callable[..., Any] = compiler(
        no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS
    )(function)
    return compiled


@cache
def cache_folder() -> Path | None:
    """Return a writable folder for compiled kernels, or None; made when there is none yet."""
    sources = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    folder = _user_cache() / f"kernels-{sources.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return None
    return folder


def _user_cache() -> Path:
    """Return the user's cache folder for shiftfield: NUMBA_CACHE_DIR, or the platform's own."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / "shiftfield"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "shiftfield"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "shiftfield"
    return Path(os.environ.get("XDG_CACHE_HOME", home / ".cache")) / "shiftfield"
