"""Dense searches behind the public functions: their plans, both axes together, each axis alone, their warnings.

Arguments are checked before they get here; arrays of the seven functions are made in `correlation`.
"""
