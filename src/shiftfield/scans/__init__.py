"""Series of projections: stacks in by name of their axes, shift fields out into one file, restartable."""
