"""The result of a search, and the ways it shows itself: file, picture, viewer layers.

Nothing here computes a shift.
"""

from shiftfield.field.shift_field import ShiftField

__all__ = ["ShiftField"]
