"""What a case is: a broken file, who opens it, and whether it may turn out whole.

Beside it are the images and numbers that most of them are made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.synthetic import speckle

REF = np.round(1000 + 100 * speckle((24, 24), frames=2, seed=1)).astype(np.uint16)
SAM = np.round(1000 + 100 * speckle((24, 24), frames=2, seed=1, shift=(0.3, 0.2))).astype(np.uint16)
CHOSEN: dict[str, Any] = {"window": 3, "margin": 1, "ncore": 1}
SHAPE = (24, 24)  # of a field
HUGE = 1 << 40
Make = Callable[[Path], str]


@dataclass(frozen=True)
class Case:
    """One broken file: what opens it, what makes it in an empty folder, and whether it may turn out whole."""

    name: str
    entry: str
    make: Callable[[Path], str]
    may_open: bool = False
