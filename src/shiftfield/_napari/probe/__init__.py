"""The dock "Probe a pixel"."""
