"""How layers were made: scripts and command lines that make them again, and the dock that shows them."""
