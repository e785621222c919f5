"""A pickle that runs what it likes when it is opened.

That it ran is seen by a mark in the environment.
"""

from __future__ import annotations

from typing import Any

MARK = "SHIFTFIELD_RAN"  # set in the environment by a pickle that was run


class Runs:
    """What a pickle does when it is opened."""

    def __reduce__(self) -> Any:
        return exec, (f"import os; os.environ[{MARK!r}] = 'yes'",)
