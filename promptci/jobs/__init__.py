"""The errands, one per file: the sentence spelled once for each."""
