"""What a shift field means: phase, transmission and dark field, strain, and the sample laid onto the reference.

No shift is searched here.
"""
