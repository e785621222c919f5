"""How a search runs: the plan, bands of rows, tiles on threads or GPUs, progress and cancelling."""
