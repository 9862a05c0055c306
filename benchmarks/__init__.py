"""Measurements of Henji beside baselines in the same run. Nothing here is shipped."""
