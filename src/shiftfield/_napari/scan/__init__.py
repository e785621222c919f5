"""The dock "Scan"."""
