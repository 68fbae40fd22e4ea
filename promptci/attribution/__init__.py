"""Which edit of a change broke its cases: the edits, and a search that asks the model with some of them undone."""
