"""No pause of the viewer for the garbage collector while pictures must be in time.

A full collection looks at all objects of napari: 150 ms on the machine of the benchmarks. What is there when
it begins is left out until the end; what is made meanwhile is collected as ever.
"""

from __future__ import annotations

import gc

_users = 0


def begin() -> None:
    """Leave out of collections what there is now; each `begin` has its `end`."""
    global _users
    _users += 1
    if _users == 1:
        gc.freeze()


def end() -> None:
    """Let all objects be looked at again, when nobody else wants them left out."""
    global _users
    _users -= 1
    if _users == 0:
        gc.unfreeze()
