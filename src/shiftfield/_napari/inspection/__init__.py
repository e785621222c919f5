"""The dock "Inspect a field"."""
