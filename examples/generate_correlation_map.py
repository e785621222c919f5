"""generate_correlation_map: slide a piece of one image over a larger piece of another."""

import numpy as np

import shiftfield
from shiftfield import samples

unloaded, pulled, *_ = samples.tensile_test()

# A piece of 41 x 61 px of the pulled specimen, and 10 px more on each side of the unloaded one.
top, left, height, width, margin = 280, 300, 41, 61, 10
piece = pulled[top : top + height, left : left + width]
around = unloaded[
    top - margin : top + height + margin, left - margin : left + width + margin
]  # fmt: skip

scores = shiftfield.generate_correlation_map(around, piece)
row, column = np.unravel_index(scores.argmax(), scores.shape)
print(f"map of {scores.shape[0]} x {scores.shape[1]} shifts, best coefficient {scores.max():.3f}")
print(f"the piece came from {column - margin:+d} px along x, {row - margin:+d} px along y")
