"""Which shifts may be the best where pixels have weights: a rule that all backends share.

Coverage is the part of the window's weight, over all frames, whose pixels take part on both sides. A shift
competes with the coverage that was asked for. With half of it a shift can still object: where it scores higher
than the best that competes, the match lies where too little is seen, and the best of the others is none. (Without
objections two thirds of the pixels in the last column had a false answer where matches lay 2.3 px outside.)
"""

from __future__ import annotations

_ROUNDING = 1e-9  # of a coverage: sums of the same weights in another order


def to_compete(coverage: float) -> float:
    """Return what the coverage of a shift must exceed for it to be the best; nothing never competes."""
    return max(coverage, 2 * _ROUNDING) - _ROUNDING


def to_object(coverage: float) -> float:
    """Return what the coverage of a shift must exceed for it to object to the best."""
    return to_compete(coverage / 2)
