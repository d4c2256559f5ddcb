"""The verbs of the command line, one module each; every one has a `command`."""
