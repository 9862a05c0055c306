"""Pure rules of (row, instant, ruleset): calendar, deadlines, traffic lights."""
