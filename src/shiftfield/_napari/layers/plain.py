"""Arrays, units and tuples as plain numbers, texts and lists: what a script can say and a file can keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same values as numbers, texts and lists, exactly."""
    return {name: _plain(name, value) for name, value in values.items()}


def _plain(name: str, value: Any) -> Any:
    if name in ("units", "axis_labels"):
        return [str(one) for one in value]
    return np.asarray(value, dtype=float).tolist()
