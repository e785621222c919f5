"""find_shift_based_correlation_map: one shift between two whole images, or two stacks."""

import shiftfield
from shiftfield.synthetic import speckle

# The sample looks like the reference 2.3 px further right and 1.6 px further up.
reference = speckle((200, 240), seed=1)
sample = speckle((200, 240), seed=1, shift=(2.3, -1.6))

x, y = shiftfield.find_shift_based_correlation_map(reference, sample, margin=10)
print(f"both axes:      x {x:+.3f} px, y {y:+.3f} px   (true: +2.3, -1.6)")

# Along one axis only, where the other one is known not to move.
sideways = speckle((200, 240), seed=1, shift=(2.3, 0))
x_only, zero = shiftfield.find_shift_based_correlation_map(reference, sideways, margin=10, axis=1)
print(f"columns only:   x {x_only:+.3f} px, y {zero:+.3f} px   (true: +2.3, 0)")

# To lay the sample onto the reference: scipy.ndimage.shift(sample, (y, x)).
