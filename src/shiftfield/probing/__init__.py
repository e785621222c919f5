"""One pixel of a search with all that a search throws away."""
