"""The version of shiftfield, alone, so that anything may read it without importing the rest."""

__version__ = "0.1.0"
