"""The docks "Correlation map", "Locate peak" and "Global shift"."""
