"""Evidence 佐证材料: bytes kept by content; what is said of them is in the log."""
