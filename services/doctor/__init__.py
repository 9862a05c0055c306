"""What ``henji doctor`` looks at: a table of checks, none of which mends anything."""
