"""The dock "Phase and strain"."""
