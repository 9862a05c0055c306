"""The demonstration: a real log through every door of the service, in one command."""
