"""comment.md and summary.md."""
