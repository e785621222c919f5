"""Peaks of maps to a fraction of a px: where they are, and the fits that tell."""
