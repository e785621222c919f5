"""The docks "Local shifts" and "UMPA shifts"."""
