"""The report of a run without changes, which is by far the most frequent one: filled in, not rendered."""
