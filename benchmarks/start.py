"""The smallest script of a user: one pair, one call. `measure` times the whole process; nothing else is here."""

import sys

import numpy as np

from shiftfield import find_local_shifts

if __name__ == "__main__":
    side = int(sys.argv[1])
    image = np.random.default_rng(1).random((side + 4, side + 4), dtype=np.float32)
    x, y = find_local_shifts(image[:-4, :-4], image[2:-2, 1:-3], win_size=7, margin=10)
    assert abs(np.median(x[20:-20, 20:-20]) - 1) < 0.1
    assert abs(np.median(y[20:-20, 20:-20]) - 2) < 0.1
