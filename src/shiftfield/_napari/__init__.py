"""The napari plugin: the docks, their layers, the sample data.

It asks the library and shows what comes back; nothing here computes a shift.
"""
