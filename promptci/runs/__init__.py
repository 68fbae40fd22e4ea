"""What to ask, and asking it."""
