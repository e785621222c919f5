"""Where searches begin: whole-pixel starts, and how they are found from coarse to fine."""
