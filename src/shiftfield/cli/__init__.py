"""The command line: options made from the declared settings, one file for each kind of command."""
