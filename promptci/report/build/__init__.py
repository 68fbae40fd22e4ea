"""Build the view of a run from its findings."""
