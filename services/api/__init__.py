"""The HTTP interface: one module a group of routes, each parse → call → present."""
