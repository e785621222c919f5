"""Arrays as they come: lists, masked arrays and the like made NumPy's; arrays that lie on a GPU."""
