"""The dock that computes: its run and its menu, and the fields in which two layers are chosen."""
