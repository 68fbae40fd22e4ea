"""Drift: whether the answers of a deployed prompt got worse although nobody changed it. Nothing here knows git."""
