"""What docks are made of: forms, buttons, the run on a thread of its own, the end of their windows."""
