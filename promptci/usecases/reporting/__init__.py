"""Use cases around finished runs: render again, compare, comment, memory."""
