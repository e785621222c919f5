"""Fields of what is looked at, soon rather than to the last bit, and only of the latest question."""
