"""The edge: HTTP, command line, files, clock and environment."""
