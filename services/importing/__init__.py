"""Import of process logs from other systems, through the public HTTP API."""
