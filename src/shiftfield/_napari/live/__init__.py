"""The live preview: what the viewer shows is searched while settings or the view change."""
