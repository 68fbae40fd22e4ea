"""Use cases after the merge."""
