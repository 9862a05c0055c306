"""Reports as bytes: one module a format, the same report always the same bytes."""
