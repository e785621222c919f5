"""Dense searches, from checked settings to a `ShiftField`; what one tile computes is the business of `engine`."""
