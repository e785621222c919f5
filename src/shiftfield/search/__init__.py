"""`find_shift_field`, now or when dask wants it: what it takes, and all that it does for one field."""
