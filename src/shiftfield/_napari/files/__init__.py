"""Files and samples that napari opens and saves, and the window of the demo."""
