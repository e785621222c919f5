"""find_local_shifts: the shift of every pixel, for one pair or for stacks of frames."""

import numpy as np

import shiftfield
from shiftfield.synthetic import speckle, speckle_scan

scan = speckle_scan((160, 200), frames=5, displacement=2)
edge = 21 // 2 + 5  # no answer is sought closer to the border than half a window + margin
inside = (slice(edge, -edge), slice(edge, -edge))

# One pair of images: the window must hold some speckles.
x_pair, y_pair = shiftfield.find_local_shifts(
    scan.reference[0], scan.sample[0], win_size=21, margin=5, norm=False
)
# All five frames together: a small window is enough, and sees finer detail. The 2-D search is dim=2.
x_stack, y_stack = shiftfield.find_local_shifts(
    scan.reference, scan.sample, dim=2, win_size=7, margin=5
)
for name, x, y in (("one pair", x_pair, y_pair), ("five frames", x_stack, y_stack)):
    error = np.hypot(x - scan.x, y - scan.y)[inside]
    print(f"{name:12} median error {np.median(error):.3f} px")

# dim=1, the default for stacks, searches rows and columns on their own. It needs many frames, and is
# right only where nothing moves across the search by more than a small part of a speckle.
reference = speckle((80, 100), frames=20, sigma=2)
sample = speckle((80, 100), frames=20, sigma=2, shift=(0.4, -0.3))
x_rows, y_columns = shiftfield.find_local_shifts(reference, sample, margin=5, norm=False)
print(f"1-D search   x {np.median(x_rows[20:-20, 20:-20]):+.3f} px   (true: +0.4)")
print(f"1-D search   y {np.median(y_columns[20:-20, 20:-20]):+.3f} px   (true: -0.3)")
