"""The report: one flat view, and every text and page drawn from it."""
