"""Golden files too large to be in memory: read as a stream, with the variables of their cases kept on disk."""
