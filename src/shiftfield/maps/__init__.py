"""Correlation maps of one template in a larger image, and the one shift that a peak tells."""
