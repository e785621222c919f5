"""find_global_shift_based_local_shifts: one shift of an image, from a few places in it."""

import numpy as np

import shiftfield
from shiftfield.synthetic import speckle

# Everything moved by (+3.4, -2.2) px, but for a patch that went its own way.
rows, columns = np.mgrid[:300, :400]
patch = (rows > 200) & (columns > 300)
reference = speckle((300, 400), seed=2)
sample = speckle((300, 400), seed=2, shift=(np.where(patch, -5.0, 3.4), np.where(patch, 6.0, -2.2)))

x, y = shiftfield.find_global_shift_based_local_shifts(reference, sample, 41, 10)
print(f"thirty random points:  x {x:+.3f} px, y {y:+.3f} px   (true: +3.4, -2.2)")

# The same points are drawn at every run; another seed draws others.
x, y = shiftfield.find_global_shift_based_local_shifts(
    reference, sample, 41, 10, num_point=100, global_value="median", rng=7
)
print(f"a hundred others:      x {x:+.3f} px, y {y:+.3f} px")

# At chosen places [rows, columns], each on its own: the third one lies in the patch.
xs, ys = shiftfield.find_global_shift_based_local_shifts(
    reference, sample, 41, 10, list_ij=[[60, 150, 260], [60, 200, 350]], return_list=True
)
print("at three places:       x", np.round(xs, 2), "y", np.round(ys, 2))
