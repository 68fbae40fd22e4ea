"""Use cases around finished runs: draw again, compare, comment, history."""
