"""The domain core: one file per kind of stream, each a decide and an evolve."""
